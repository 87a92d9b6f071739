#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "commands.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/data/network.h"
#include "regulus/data/split.h"
#include "regulus/storage/feature_store.h"
#include "regulus/translator/train.h"

namespace regulus::app {

namespace {

using translator::GeneFilter;
using translator::PairTable;

void declare(po::options_description& description) {
  const translator::TrainOptions defaults;
  auto add = description.add_options();
  add("features", list<std::string>()->value_name("FILE..."), "feature stores, written by 'regulus probe'");
  add("network", list<std::string>()->value_name("FILE..."),
      "known edges (header Gene1,Gene2): one file for all feature stores, or one for each");
  add("out", po::value<std::string>()->value_name("FILE"), "the translator");
  add("protocol", po::value<std::string>()->default_value("balanced")->value_name("NAME"),
      "balanced: as many sampled negatives as positives; full: every TF x gene pair");
  add("negatives", po::value<std::string>()->default_value("uniform")->value_name("NAME"),
      "how balanced draws negatives: uniform, or per-source (as many as the TF has positives)");
  add("untested-sources", po::bool_switch(),
      "use TFs without any edge in the network too: all their pairs are negatives");
  add("probes", list<std::string>()->value_name("NAME..."),
      "one MLP for each of these; default: all in the stores");
  add("holdout-genes", po::value<double>()->default_value(0.0)->value_name("FRACTION"),
      "share of the genes kept out of training, to be evaluated as unseen genes");
  add("split-seed", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "seed that chooses those genes");
  add("hidden",
      list<std::int64_t>(defaults.hidden, fmt::format("{}", fmt::join(defaults.hidden, " ")))
          ->value_name("N..."),
      "widths of the hidden layers");
  add("transform", po::value<std::string>()->default_value(to_string(defaults.transform))->value_name("NAME"),
      "of a feature before standardising: asinh (tames rare strong responses) or none");
  add("epochs", po::value<std::int64_t>()->default_value(defaults.epochs)->value_name("N"),
      "most passes over the pairs");
  add("batch", po::value<std::int64_t>()->default_value(defaults.batch)->value_name("N"),
      "pairs per optimiser step");
  add("lr",
      po::value<double>()
          ->default_value(defaults.learning_rate, fmt::to_string(defaults.learning_rate))
          ->value_name("X"),
      "learning rate of AdamW");
  add("weight-decay",
      po::value<double>()
          ->default_value(defaults.weight_decay, fmt::to_string(defaults.weight_decay))
          ->value_name("X"),
      "weight decay of AdamW");
  add("validation",
      po::value<double>()
          ->default_value(defaults.validation_fraction, fmt::to_string(defaults.validation_fraction))
          ->value_name("FRACTION"),
      "share of the training genes that early stopping looks at; 0: run all epochs on all pairs");
  add("patience", po::value<std::int64_t>()->default_value(defaults.patience)->value_name("N"),
      "epochs without a better validation loss before stopping");
  add("class-weights", po::value<std::string>()->default_value("equal")->value_name("NAME"),
      "equal: positives and negatives weigh the same in total; none: every pair weighs the same");
}

translator::TrainOptions train_options(const Session& session) {
  const Options& options = session.options;
  translator::TrainOptions chosen;
  chosen.hidden = options.get<std::vector<std::int64_t>>("hidden");
  chosen.epochs = options.get<std::int64_t>("epochs");
  chosen.batch = options.get<std::int64_t>("batch");
  chosen.learning_rate = options.get<double>("lr");
  chosen.weight_decay = options.get<double>("weight-decay");
  chosen.validation_fraction = options.get<double>("validation");
  chosen.patience = options.get<std::int64_t>("patience");
  chosen.class_weights = options.one_of("class-weights", {"equal", "none"}) == "equal";
  chosen.transform = translator::parse_transform(options.get<std::string>("transform"));
  chosen.seed = session.seed;
  translator::check(chosen);
  return chosen;
}

/// What a run reads and how it chooses pairs.
struct TrainJob {
  std::vector<std::string> features, networks;  ///< equally many
  std::vector<std::string> probes;              ///< empty: all
  std::string out;
  translator::CandidateOptions candidates;
  double holdout = 0.0;
  std::uint64_t split_seed = 0;
};

/// Feature stores meet networks by position; a single network serves all.
void pair_up(TrainJob& job) {
  if (job.networks.size() == 1) job.networks.resize(job.features.size(), job.networks.front());
  if (job.networks.size() == job.features.size()) return;
  throw OptionError(
      fmt::format("{} networks for {} feature stores", job.networks.size(), job.features.size()), "--network",
      "give one network for all stores, or one for each in the same order");
}

TrainJob train_job(const Session& session) {
  const Options& options = session.options;
  TrainJob job;
  job.features = options.get<std::vector<std::string>>("features");
  job.networks = options.get<std::vector<std::string>>("network");
  if (options.given("probes")) job.probes = options.get<std::vector<std::string>>("probes");
  job.out = options.get<std::string>("out");
  job.candidates.protocol = translator::parse_protocol(options.get<std::string>("protocol"));
  job.candidates.negatives = translator::parse_negatives(options.get<std::string>("negatives"));
  job.candidates.untested_sources = options.get<bool>("untested-sources");
  job.candidates.seed = session.seed;
  job.holdout = options.in_range<double>("holdout-genes", 0.0, 0.9);
  job.split_seed = static_cast<std::uint64_t>(options.in_range<std::int64_t>("split-seed", 0, INT64_MAX));
  pair_up(job);
  return job;
}

std::string probe_names(const storage::FeatureStoreHeader& header) {
  std::vector<std::string> names;
  for (const auto& probe : header.probes) names.push_back(fmt::format("{}[{}]", probe.name, probe.width));
  return fmt::format("{}", fmt::join(names, " "));
}

/// The probes to train: those asked for, or all, which must then be the same in every store.
std::vector<std::string> choose_probes(const TrainJob& job,
                                       const std::vector<storage::FeatureStore>& stores) {
  if (!job.probes.empty()) return job.probes;
  const auto& first = stores.front().header();
  for (std::size_t i = 1; i < stores.size(); ++i)
    if (probe_names(stores[i].header()) != probe_names(first))
      throw OptionError(
          fmt::format("the stores hold different probes: {} has {}, {} has {}", job.features.front(),
                      probe_names(first), job.features[i], probe_names(stores[i].header())),
          "--features", "name probes that all of them have with --probes");
  std::vector<std::string> names;
  for (const auto& probe : first.probes) names.push_back(probe.name);
  return names;
}

std::vector<storage::FeatureStore> open_stores(const TrainJob& job) {
  std::vector<storage::FeatureStore> stores;
  for (const std::string& file : job.features) stores.emplace_back(file);
  const translator::FeatureOrigin first = translator::origin_of(stores.front().header());
  for (std::size_t i = 1; i < stores.size(); ++i)
    require_same_origin(first, job.features.front(), translator::origin_of(stores[i].header()),
                        job.features[i]);
  return stores;
}

/// Genes of all stores together, so that a gene is held out of every one of them.
std::vector<std::string> choose_holdout(const TrainJob& job,
                                        const std::vector<storage::FeatureStore>& stores) {
  if (job.holdout == 0.0) return {};
  std::vector<std::string> sources, targets;
  for (const auto& store : stores) {
    for (const std::string& gene : store.header().sources) sources.push_back(translator::gene_key(gene));
    for (const std::string& gene : store.header().targets) targets.push_back(translator::gene_key(gene));
  }
  return data::split_genes(sources, targets, job.holdout, job.split_seed).test;
}

/// What rank 0 reads; only the table reaches the other ranks.
struct Material {
  PairTable table;
  translator::TrainingRecord record;
};

translator::LabelledPairs choose_pairs(const TrainJob& job, const translator::CandidateOptions& candidates,
                                       const storage::FeatureStore& store, std::size_t index) {
  const data::Network network = data::read_network(job.networks[index]);
  const auto pairs = candidate_pairs(store.header().sources, store.header().targets, network, candidates);
  log::info("{} with {}: {} pairs, {} positives", job.features[index], job.networks[index], pairs.size(),
            pairs.positives());
  return pairs;
}

std::string stem(const std::string& file) {
  const std::string name = std::filesystem::path(file).filename().string();
  return name.substr(0, name.find('.'));
}

Material read_material(const TrainJob& job) {
  const std::vector<storage::FeatureStore> stores = open_stores(job);
  const std::vector<std::string> probes = choose_probes(job, stores);
  Material material;
  material.record.origin = translator::origin_of(stores.front().header());
  material.record.holdout_genes = choose_holdout(job, stores);
  translator::CandidateOptions candidates = job.candidates;
  candidates.genes = GeneFilter::all_but(material.record.holdout_genes);
  for (std::size_t i = 0; i < stores.size(); ++i) {
    const auto pairs = choose_pairs(job, candidates, stores[i], i);
    PairTable part = make_pair_table(stores[i], job.features[i], probes, pairs);
    if (i == 0)
      material.table = std::move(part);
    else
      translator::append(material.table, part);
    material.record.data_sets.push_back(stem(job.features[i]));
    material.record.networks.push_back(stem(job.networks[i]));
  }
  return material;
}

void add_inputs(const TrainJob& job, Provenance& provenance) {
  for (const std::string& file : job.features) provenance.add_input(file);
  for (const std::string& file : job.networks) provenance.add_input(file);
}

void print_losses(const translator::Translator& trained) {
  fmt::print("{:<10} {:>6} {:>8} {:>11} {:>16}\n", "probe", "width", "epoch", "train loss",
             "validation loss");
  for (const auto& model : trained.models()) {
    const auto best = static_cast<std::size_t>(model.curve.best_epoch);
    const std::string validation =
        model.curve.validation.empty() ? "-" : fmt::format("{:.4f}", model.curve.validation[best]);
    fmt::print("{:<10} {:>6} {:>8} {:>11.4f} {:>16}\n", model.probe, model.shape.inputs(), best + 1,
               model.curve.train[best], validation);
  }
}

void save(Session& session, const TrainJob& job, translator::Translator& trained,
          translator::TrainingRecord record) {
  record.seen_genes = trained.record().seen_genes;
  record.provenance_json = session.provenance.to_json().dump();
  trained.record() = std::move(record);
  trained.save(job.out);
  print_losses(trained);
  log::info("wrote {}", job.out);
}

void run(Session& session) {
  const TrainJob job = train_job(session);
  const translator::TrainOptions options = train_options(session);
  Material material;
  session.provenance.start_phase("read");
  comm::agree_on_root(session.world, "reading the training pairs", [&] {
    add_inputs(job, session.provenance);
    material = read_material(job);
  });
  broadcast(session.world, material.table);
  session.provenance.start_phase("train");
  translator::Translator trained = train(session.world, material.table, options, session.progress);
  session.provenance.end_phase();
  comm::agree_on_root(session.world, "writing the translator",
                      [&] { save(session, job, trained, std::move(material.record)); });
}

}  // namespace

Command train_command() {
  return {"train", "Train the translator: features of TF-gene pairs to edge probabilities", declare, run};
}

}  // namespace regulus::app
