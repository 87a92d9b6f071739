#include "infer_setup.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "regulus/comm/agree.h"

namespace regulus::app {

namespace {

storage::ScoreMatrix score_matrix(const Options& options) {
  const std::string& kind = options.one_of("scores", {"none", "float16", "float32"});
  if (kind == "none") return storage::ScoreMatrix::None;
  return kind == "float16" ? storage::ScoreMatrix::Float16 : storage::ScoreMatrix::Float32;
}

}  // namespace

void declare_edge_options(po::options_description& options) {
  auto add = options.add_options();
  add("translator", po::value<std::string>()->value_name("FILE"),
      "translator, written by 'regulus train'; decides the features");
  add("top-k", po::value<std::int64_t>()->default_value(500)->value_name("N"),
      "targets to keep of each source; 0: all");
  add("scores", po::value<std::string>()->default_value("none")->implicit_value("float32"),
      "also the scores of all pairs: none, float16 or float32");
  add("edge-spread", po::bool_switch(),
      "the spread of every edge's logit over the translator's members (train --members)");
  add("false-discovery", po::bool_switch(),
      "an empirical false-discovery rate of every edge, from the translator's null models (train --null)");
}

translator::Translator load_translator(const Session& session) {
  std::optional<translator::Translator> loaded;
  comm::agree(session.world, "reading the translator",
              [&] { loaded = translator::Translator::load(session.options.get<std::string>("translator")); });
  return std::move(*loaded);
}

FeatureChoice features_of(const translator::Translator& translator) {
  constexpr std::string_view kDeviation = "_sd";
  FeatureChoice choice;
  for (const std::string& probe : translator.probes()) {
    if (!probe.ends_with(kDeviation)) {
      choice.features.push_back(probe);
      continue;
    }
    choice.spread = true;
    choice.features.push_back(probe.substr(0, probe.size() - kDeviation.size()));
  }
  return choice;
}

translator::ScoreOptions score_options(const Options& options, const translator::Translator& translator) {
  const translator::ScoreOptions scores{options.get<bool>("edge-spread"),
                                        options.get<bool>("false-discovery")};
  if (scores.spread && translator.member_count() < 2)
    throw OptionError("the translator has one member, so nothing spreads", "--edge-spread",
                      "train it with --members 5, or leave it out");
  if (scores.false_discovery && translator.null_count() == 0)
    throw OptionError("the translator has no null models", "--false-discovery",
                      "train it with --null 5, or leave it out");
  return scores;
}

storage::EdgeStoreHeader edge_header(const Options& options, const probe::ProbeJob& job) {
  const std::int64_t candidates = job.gene_count() - 1;
  if (candidates < 1) throw InputError("one gene alone has no edges", "--genes", "give two genes or more");
  const auto wanted = options.in_range<std::int64_t>("top-k", 0);
  storage::EdgeStoreHeader header;
  for (const std::int64_t source : job.sources)
    header.sources.push_back(job.genes[static_cast<std::size_t>(source)]);
  header.targets = job.genes;
  header.edges_per_source = wanted == 0 ? candidates : std::min(wanted, candidates);
  header.matrix = score_matrix(options);
  header.spread = options.get<bool>("edge-spread");
  header.false_discovery = options.get<bool>("false-discovery");
  header.background = options.get<std::string>("background");
  return header;
}

}  // namespace regulus::app
