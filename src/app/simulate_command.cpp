#include <filesystem>

#include "commands.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/core/progress.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/simulation.h"
#include "regulus/storage/text_file.h"

namespace regulus::app {

namespace {

void declare(po::options_description& description) {
  const data::SimulationOptions defaults;
  auto add = description.add_options();
  const auto count = [](std::int64_t value) {
    return po::value<std::int64_t>()->default_value(value)->value_name("N");
  };
  const auto real = [](double value, const char* shown) {
    return po::value<double>()->default_value(value, shown)->value_name("X");
  };
  add("out", po::value<std::string>()->value_name("DIR"),
      "folder for dataset_<k>.h5ad (counts), dataset_<k>_network.csv and dataset_<k>_tfs.txt");
  add("datasets", count(defaults.datasets), "data sets");
  add("genes", count(defaults.genes), "genes of each data set, TFs included");
  add("tfs", count(defaults.tfs), "transcription factors of each data set");
  add("cells", count(defaults.cells), "cells of each data set");
  add("shared", real(defaults.shared, "0.5"), "share of the genes that all data sets have");
  add("regulators", real(defaults.regulators, "2"), "mean number of regulators of a gene");
  add("depth", real(defaults.depth, "3.5"), "mean count per gene and cell");
}

data::SimulationOptions read_options(const Session& session) {
  const Options& options = session.options;
  data::SimulationOptions simulation;
  simulation.datasets = options.in_range<std::int64_t>("datasets", 1, 10000);
  simulation.genes = options.in_range<std::int64_t>("genes", 2, 1000000);
  simulation.tfs = options.in_range<std::int64_t>("tfs", 1, 100000);
  simulation.cells = options.in_range<std::int64_t>("cells", 1, 100000000);
  simulation.shared = options.get<double>("shared");
  simulation.regulators = options.get<double>("regulators");
  simulation.depth = options.get<double>("depth");
  simulation.seed = session.seed;
  return simulation;
}

std::string lines(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += name + "\n";
  return text;
}

void write(const std::filesystem::path& folder, const data::SimulatedDataset& dataset,
           const Provenance& provenance) {
  data::write_h5ad(folder / (dataset.name + ".h5ad"), dataset.counts,
                   {data::ValueScale::Counts, provenance.to_json().dump(), {}});
  data::write_network(folder / (dataset.name + "_network.csv"), dataset.network);
  storage::write_text_atomically(folder / (dataset.name + "_tfs.txt"), lines(dataset.tfs));
}

void create_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw StorageError(failure.message(), folder.string(), "choose a writable --out");
}

/// Data sets are spread over the ranks: each depends on the seed and its index alone.
void run(Session& session) {
  const data::SimulationOptions simulation = read_options(session);
  const std::filesystem::path folder = session.options.get<std::string>("out");
  comm::agree_on_root(session.world, "creating --out", [&] { create_folder(folder); });
  comm::agree(session.world, "simulating", [&] {
    const data::Universe universe = data::draw_universe(simulation);
    Progress progress("simulate", (simulation.datasets + session.world.size() - 1) / session.world.size(),
                      "data sets of this rank", session.progress);
    for (std::int64_t d = session.world.rank(); d < simulation.datasets; d += session.world.size()) {
      write(folder, data::draw_dataset(simulation, universe, d), session.provenance);
      progress.advance(1);
    }
  });
  log::info("wrote {} data sets to {}", simulation.datasets, folder.string());
}

}  // namespace

Command simulate_command() {
  return {"simulate", "expression of several data sets drawn from known networks", declare, run};
}

}  // namespace regulus::app
