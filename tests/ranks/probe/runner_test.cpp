// A whole probe run on every number of ranks, fewer tiles than ranks included.
#include "regulus/probe/runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "regulus/backbone/transformer.h"
#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/probe/feature_columns.h"
#include "support/definitions.h"
#include "support/tiny_job.h"

namespace {

using namespace regulus;

class Runner : public ::testing::TestWithParam<std::int64_t> {
 protected:
  Runner()
      : world_(comm::Communicator::world()),
        model_(test::tiny_model(9, 5)),
        job_(test::tiny_job(model_, GetParam(), 3)) {
    job_.spread = true;
    file_ = std::filesystem::temp_directory_path() /
            ("regulus_runner_" + std::to_string(world_.size()) + "_" + std::to_string(GetParam()) + ".h5");
  }
  ~Runner() override {
    world_.barrier();
    if (world_.is_root()) std::filesystem::remove(file_);
  }

  storage::FeatureStoreHeader header() const {
    storage::FeatureStoreHeader header;
    header.targets = job_.genes;
    for (const auto source : job_.sources)
      header.sources.push_back(job_.genes[static_cast<std::size_t>(source)]);
    header.probes = probe::feature_columns(job_, model_.config.width);
    header.background = "cells";
    header.provenance_json = "{}";
    header.sources_per_tile = job_.sources_per_tile;
    header.targets_per_tile = job_.targets_per_tile;
    return header;
  }

  /// \param stop_after units of this rank
  probe::RunResult run_on(storage::FeatureStoreWriter& store, std::int64_t stop_after) {
    const auto backbone = backbone::make_transformer(model_, {.precision = at::kFloat});
    Progress progress("probe", probe::units_left(world_, *backbone, job_, store), "units", false);
    return probe::run(world_, *backbone, job_, store,
                      {.progress = progress,
                       .stop_requested = [&](double) { return stop_after-- <= 0; },
                       .shortest_round_s = 0.0,
                       .longest_round_s = 0.02});
  }

  void run() {
    auto store = storage::FeatureStoreWriter::create(world_, file_, header());
    EXPECT_TRUE(run_on(store, kForever).complete);
    store.finish("{}");
  }

  /// Every feature, as one list of numbers.
  std::vector<float> features() const {
    const storage::FeatureStore store(file_);
    std::vector<float> all;
    for (const auto& probe : store.header().probes) {
      const std::vector<float> values = store.read(probe.name);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

  static constexpr std::int64_t kForever = std::int64_t{1} << 40;

  comm::Communicator world_;
  backbone::Model model_;
  probe::ProbeJob job_;
  std::filesystem::path file_;
};

TEST_P(Runner, WritesEveryFeatureOfEveryPair) {
  run();
  const storage::FeatureStore store(file_);
  const test::Definitions definition(model_, job_);
  for (std::int64_t s = 0; s < job_.source_count(); ++s)
    for (const auto& [probe, expected] :
         {std::pair{"vvp", definition.vvp(s)}, std::pair{"gdt", definition.gdt(s)},
          std::pair{"osg", definition.osg(s)}, std::pair{"pert", definition.pert(s)},
          std::pair{"vvp_sd", definition.vvp_sd(s)}}) {
      const at::Tensor found = at::tensor(store.read_sources(probe, s, 1), at::kDouble)
                                   .reshape({job_.gene_count(), expected.size(1)});
      EXPECT_LT((found - expected).abs().max().item<double>(), 5e-6) << probe << " of source " << s;
    }
}

TEST_P(Runner, StoppedAndResumedGivesTheSameBits) {
  job_.targets_per_tile = 4;
  run();
  const std::vector<float> uninterrupted = features();
  world_.barrier();
  {
    auto store = storage::FeatureStoreWriter::create(world_, file_, header());
    EXPECT_FALSE(run_on(store, 0).complete);
    store.suspend();
  }
  std::int64_t done_before = 0;
  int runs = 0;
  for (bool complete = false; !complete; ++runs) {
    auto store = storage::FeatureStoreWriter::resume(world_, file_, header());
    const auto done = std::count(store.done().begin(), store.done().end(), 1);
    EXPECT_TRUE(runs == 0 || done > done_before) << "a run that was stopped later did nothing";
    done_before = done;
    const auto result = run_on(store, world_.is_root() ? 2 : kForever);  // one rank's wish stops all
    EXPECT_EQ(result.times.size(), static_cast<std::size_t>(world_.size()));
    complete = result.complete;
    complete ? store.finish("{}") : store.suspend();
  }
  EXPECT_EQ(features(), uninterrupted);
}

TEST_P(Runner, EmbeddingsOfSourceAndTargetAreAdded) {
  run();
  const storage::FeatureStore store(file_);
  const at::Tensor table = model_.weights.at("encoder.embedding.weight");
  const auto row = [&](std::int64_t gene) { return table[job_.gene_ids[static_cast<std::size_t>(gene)]]; };
  const at::Tensor found =
      at::tensor(store.read("emb"), at::kFloat).reshape({job_.source_count(), job_.gene_count(), -1});
  for (std::int64_t s = 0; s < job_.source_count(); ++s)
    for (std::int64_t j = 0; j < job_.gene_count(); ++j)
      EXPECT_TRUE(at::equal(found[s][j], row(job_.sources[static_cast<std::size_t>(s)]) + row(j)));
}

TEST_P(Runner, FailureOfOneRankIsTheErrorOfAll) {
  // Only the rank that has the last unit of the last tile meets the value that the model answers with
  // infinity.
  std::vector<float> cells = job_.cells->read(0, job_.cells->count());
  cells.back() = std::numeric_limits<float>::quiet_NaN();
  job_.cells = std::make_shared<probe::FixedRows>(job_.gene_count(), cells);
  try {
    run();
    ADD_FAILURE() << "no error on rank " << world_.rank();
  } catch (const Error& failure) {
    EXPECT_EQ(failure.kind(), ErrorKind::Model) << failure.what();
  }
  comm::agree_on_root(world_, "clean up", [&] { std::filesystem::remove(file_.string() + ".partial"); });
}

INSTANTIATE_TEST_SUITE_P(Sources, Runner, ::testing::Values(1, 5, 8));

}  // namespace
