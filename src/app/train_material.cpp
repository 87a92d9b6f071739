#include "train_material.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>

#include "regulus/core/log.h"
#include "regulus/data/network.h"
#include "regulus/data/split.h"
#include "regulus/storage/feature_store.h"

namespace regulus::app {

namespace {

using translator::GeneFilter;
using translator::PairTable;

/// The options that decide the translator, by name.
constexpr std::array kDecisive{
    "protocol",     "negatives",  "untested-sources", "holdout-genes", "split-seed",
    "hidden",       "transform",  "epochs",           "batch",         "lr",
    "weight-decay", "validation", "patience",         "class-weights", "members",
    "null",         "seed"};

/// Feature stores meet networks by position; a single network serves all.
void pair_up(TrainJob& job) {
  if (job.networks.size() == 1) job.networks.resize(job.features.size(), job.networks.front());
  if (job.networks.size() == job.features.size()) return;
  throw OptionError(
      fmt::format("{} networks for {} feature stores", job.networks.size(), job.features.size()), "--network",
      "give one network for all stores, or one for each in the same order");
}

}  // namespace

TrainJob train_job(const Options& options, std::uint64_t seed) {
  TrainJob job;
  job.features = options.get<std::vector<std::string>>("features");
  job.networks = options.get<std::vector<std::string>>("network");
  if (options.given("probes")) job.probes = options.get<std::vector<std::string>>("probes");
  job.out = options.get<std::string>("out");
  job.candidates.protocol = translator::parse_protocol(options.get<std::string>("protocol"));
  job.candidates.negatives = translator::parse_negatives(options.get<std::string>("negatives"));
  job.candidates.untested_sources = options.get<bool>("untested-sources");
  job.candidates.seed = seed;
  job.holdout = options.in_range<double>("holdout-genes", 0.0, 0.9);
  job.split_seed = static_cast<std::uint64_t>(options.in_range<std::int64_t>("split-seed", 0, INT64_MAX));
  pair_up(job);
  return job;
}

namespace {

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

}  // namespace

TrainMaterial read_material(const TrainJob& job) {
  const std::vector<storage::FeatureStore> stores = open_stores(job);
  const std::vector<std::string> probes = choose_probes(job, stores);
  TrainMaterial material;
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

nlohmann::json job_of(const TrainJob& job, const Provenance& provenance) {
  const nlohmann::json record = provenance.to_json();
  nlohmann::json result;
  for (const char* name : kDecisive) result[name] = record.at("options").at(name);
  result["probes"] = job.probes;
  for (const std::string& file : job.features) result["features"].push_back(record.at("inputs").at(file));
  for (const std::string& file : job.networks) result["network"].push_back(record.at("inputs").at(file));
  return result;
}

}  // namespace regulus::app
