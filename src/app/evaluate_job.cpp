#include "evaluate_job.h"

#include "regulus/core/error.h"

namespace regulus::app {

namespace {

using Strings = std::vector<std::string>;

std::vector<std::filesystem::path> paths(const Options& options, const std::string& name) {
  if (!options.given(name)) return {};
  const auto& values = options.get<Strings>(name);
  return {values.begin(), values.end()};
}

std::filesystem::path path(const Options& options, const std::string& name) {
  return options.given(name) ? std::filesystem::path(options.get<std::string>(name))
                             : std::filesystem::path();
}

/// `full` draws no negatives, so it appears once.
std::vector<EvaluateProtocol> protocols(const Options& options) {
  std::vector<EvaluateProtocol> result;
  for (const auto& text : options.get<Strings>("protocol")) {
    const auto protocol = translator::parse_protocol(text);
    if (protocol == translator::Protocol::Full) {
      result.push_back({protocol, translator::Negatives::Uniform});
      continue;
    }
    for (const auto& negatives : options.get<Strings>("negatives"))
      result.push_back({protocol, translator::parse_negatives(negatives)});
  }
  return result;
}

void check_methods(const EvaluateJob& job) {
  if (job.translator.empty() && job.edges.empty() && job.expression.empty() && job.origin.empty())
    throw OptionError("there is nothing to evaluate", "--translator",
                      "give --features and --translator or --origin, or another tool's --edges");
  if (!job.origin.empty() && job.features.empty())
    throw OptionError("scores of features need features", "--origin",
                      "give --features with the file that `regulus probe` wrote");
  if (!job.translator.empty() && job.features.empty())
    throw OptionError("a translator needs features", "--features",
                      "give the file that `regulus probe` wrote");
  if (job.features.size() > 1 && !job.edges.empty())
    throw OptionError("ranked edges belong to one data set", "--edges", "give one --features file");
  if (job.features.empty() && job.edges.empty() && job.genes.empty())
    throw OptionError("the candidate genes are not known", "--features",
                      "give --features, --edges or --genes");
}

void check_combinations(const EvaluateJob& job, const Options& options) {
  check_methods(job);
  if (!job.expression.empty() && job.expression.size() != std::max<std::size_t>(job.features.size(), 1))
    throw OptionError(
        fmt::format("{} expression files for {} feature files", job.expression.size(), job.features.size()),
        "--expression", "give one for each --features file, in the same order");
  if (!job.features.empty() && (!job.sources.empty() || !job.genes.empty()))
    throw OptionError("the features say which sources and genes there are",
                      job.genes.empty() ? "--sources" : "--genes", "leave it out, or leave out --features");
  if (job.by_position && job.networks.size() != job.features.size())
    throw OptionError(
        fmt::format("{} networks for {} feature files", job.networks.size(), job.features.size()),
        "--combine by-position", "give one network for each --features file, in the same order");
  if (job.write_edges && job.translator.empty())
    throw OptionError("needs a translator", "--write-edges", "give --translator and --features");
  if (job.translator.empty() && (options.given("setting") || options.given("train-network")))
    throw OptionError("seen and unseen genes are known from a translator only",
                      options.given("setting") ? "--setting" : "--train-network",
                      "give --features and --translator");
}

}  // namespace

std::string EvaluateProtocol::name() const {
  const bool per_source = negatives == translator::Negatives::PerSource;
  return translator::to_string(protocol) + (per_source ? "-" + translator::to_string(negatives) : "");
}

std::vector<std::filesystem::path> EvaluateJob::inputs() const {
  std::vector<std::filesystem::path> all;
  for (const auto* group : {&features, &networks, &training_networks, &expression, &edges})
    all.insert(all.end(), group->begin(), group->end());
  for (const auto* one : {&translator, &sources, &genes})
    if (!one->empty()) all.push_back(*one);
  return all;
}

void declare_evaluate_options(po::options_description& description) {
  auto add = description.add_options();
  add("features", list<std::string>()->value_name("FILE"), "feature stores of `probe`, one per data set");
  add("translator", po::value<std::string>()->value_name("FILE"), "translator of `train`");
  add("origin", list<std::string>()->value_name("NAME"),
      "also score by a feature's own value, without a translator: pert (its absolute value), attn (of the "
      "last "
      "layer) or osg (mean |J|)");
  add("edges", list<std::string>()->value_name("FILE"),
      "other tools' edges (Gene1,Gene2,EdgeWeight or TF,target,importance), alone or beside the features");
  add("network", list<std::string>()->value_name("FILE"), "the truth: networks with the header Gene1,Gene2");
  add("combine", po::value<std::string>()->default_value("all")->value_name("NAME"),
      "all: each network with each data set; by-position: the n-th network with the n-th data set");
  add("expression", list<std::string>()->value_name("FILE"),
      "prepared .h5ad, one per data set: adds the control |pearson|");
  add("train-network", list<std::string>()->value_name("FILE"),
      "networks that the translator was trained on: adds the control degree");
  add("protocol", list<std::string>({"balanced"}, "balanced")->value_name("NAME"), "balanced, full or both");
  add("negatives", list<std::string>({"uniform"}, "uniform")->value_name("NAME"),
      "how balanced samples negatives: uniform, per-source or both");
  add("candidates", po::value<std::string>()->default_value("listed")->value_name("NAME"),
      "sources of candidate pairs: listed (all of the data set) or with-edges (those with an edge in the "
      "network)");
  add("setting", po::value<std::string>()->default_value("auto")->value_name("NAME"),
      "unseen-genes, unseen-datasets or auto (unseen-genes on the translator's own data set if it held genes "
      "out)");
  add("exclude-seen", po::value<bool>()->default_value(true, "on")->value_name("on|off"),
      "unseen-datasets: drop pairs with a gene that was seen in training");
  add("edge-weights", po::value<std::string>()->default_value("absolute")->value_name("NAME"),
      "how --edges rank: absolute (as BEELINE does) or signed");
  add("sources", po::value<std::string>()->value_name("FILE"),
      "candidate sources, one a line, when there are no features; default: those of --edges");
  add("genes", po::value<std::string>()->value_name("FILE"),
      "candidate targets, one a line, when there are no features; default: those of --edges");
  add("write-edges", po::bool_switch(),
      "also write edges_<data set>.csv: every TF x gene pair with the ensemble's probability, best first");
  add("bootstrap", po::value<std::int64_t>()->default_value(1000)->value_name("N"),
      "replicates behind the 95 % intervals; 0: no intervals");
  add("out", po::value<std::string>()->value_name("DIR"),
      "folder for metrics.csv, metrics.json and curves.csv");
}

EvaluateJob evaluate_job(const Session& session) {
  const Options& options = session.options;
  EvaluateJob job;
  job.features = paths(options, "features");
  job.networks = paths(options, "network");
  job.training_networks = paths(options, "train-network");
  job.expression = paths(options, "expression");
  job.edges = paths(options, "edges");
  job.translator = path(options, "translator");
  job.sources = path(options, "sources");
  job.genes = path(options, "genes");
  job.protocols = protocols(options);
  if (options.given("origin")) job.origin = options.get<Strings>("origin");
  for (const std::string& feature : job.origin)
    if (feature != "pert" && feature != "attn" && feature != "osg")
      throw OptionError("'" + feature + "' is no score by itself", "--origin",
                        "choose from pert, attn and osg");
  job.setting = options.one_of("setting", {"auto", "unseen-genes", "unseen-datasets"});
  job.exclude_seen = options.get<bool>("exclude-seen");
  job.untested_sources = options.one_of("candidates", {"listed", "with-edges"}) == "listed";
  job.write_edges = options.get<bool>("write-edges");
  job.by_position = options.one_of("combine", {"all", "by-position"}) == "by-position";
  job.edge_weights = evaluate::parse_edge_weights(options.get<std::string>("edge-weights"));
  job.bootstrap.replicates = options.in_range<std::int64_t>("bootstrap", 0, 10'000'000);
  job.bootstrap.seed = job.seed = session.seed;
  check_combinations(job, options);
  if (job.networks.empty())
    throw OptionError("this option is required", "--network", "the edges to score against");
  job.out = options.get<std::string>("out");
  return job;
}

}  // namespace regulus::app
