// Panels of the plan `tiled`: every ordered pair once, within the context, and with the responses of the
// panel that they are.
#include "regulus/probe/tile_panel.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "regulus/backbone/transformer.h"
#include "regulus/probe/tile_features.h"
#include "support/expect_error.h"
#include "support/tiny_job.h"

namespace {

using namespace regulus;

probe::ProbeJob job_of(std::int64_t genes, std::int64_t source_step, std::int64_t sources_per_tile,
                       std::int64_t longest) {
  probe::ProbeJob job;
  job.genes.resize(static_cast<std::size_t>(genes));
  for (std::int64_t gene = 0; gene < genes; gene += source_step) job.sources.push_back(gene);
  job.sources_per_tile = sources_per_tile;
  if (longest > 0) job.targets_per_tile = probe::targets_within(genes, sources_per_tile, longest);
  return job;
}

/// Every ordered pair of source and target, self pairs included, must be in exactly one tile.
void expect_every_pair_once(const probe::ProbeJob& job, std::int64_t longest) {
  std::vector<int> seen(job.sources.size() * job.genes.size(), 0);
  for (std::int64_t tile = 0; tile < job.plan().count(); ++tile) {
    const probe::TilePanel panel = probe::panel_of(job, tile);
    ASSERT_LE(panel.length(), longest);
    ASSERT_EQ(std::set<std::int64_t>(panel.genes.begin(), panel.genes.end()).size(), panel.genes.size());
    for (std::int64_t s = 0; s < panel.source_count(); ++s) {
      const auto source = static_cast<std::size_t>(panel.block.source_begin + s);
      const auto place = static_cast<std::size_t>(panel.sources[static_cast<std::size_t>(s)]);
      ASSERT_EQ(panel.genes[place], job.sources[source]);
      for (std::int64_t t = 0; t < panel.target_count(); ++t) {
        const auto gene =
            static_cast<std::size_t>(panel.genes[static_cast<std::size_t>(panel.first_target + t)]);
        ASSERT_EQ(gene, static_cast<std::size_t>(panel.block.target_begin + t));
        ++seen[source * job.genes.size() + gene];
      }
    }
  }
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
}

TEST(TilePanel, EveryOrderedPairIsInOneTileForManySizes) {
  for (const std::int64_t genes : {1, 2, 3, 17, 64, 101})
    for (const std::int64_t step : {1, 2, 7})
      for (const std::int64_t sources_per_tile : {1, 3, 8})
        for (const std::int64_t longest : {9, 16, 33, 200}) {
          SCOPED_TRACE(testing::Message() << genes << " genes, every " << step << "th, " << sources_per_tile
                                          << " sources per tile, " << longest << " genes per panel");
          expect_every_pair_once(job_of(genes, step, sources_per_tile, longest), longest);
        }
}

TEST(TilePanel, SinglePlanIsOnePanelOfAllGenesInTheirOrder) {
  const probe::ProbeJob job = job_of(40, 3, 4, 0);
  expect_every_pair_once(job, 40);
  std::vector<std::int64_t> all(40);
  std::iota(all.begin(), all.end(), 0);
  for (std::int64_t tile = 0; tile < job.plan().count(); ++tile)
    EXPECT_EQ(probe::panel_of(job, tile).genes, all);
}

TEST(TilePanel, NeedsRoomForTargets) {
  const std::string error = test::error_of(ErrorKind::Options, [] { probe::targets_within(100, 8, 8); });
  EXPECT_NE(error.find("--sources-per-tile"), std::string::npos) << error;
  EXPECT_EQ(probe::targets_within(100, 8, 9), 1);
}

TEST(TilePanel, TileHasTheFeaturesOfAJobOverItsPanelAlone) {
  const backbone::Model model = test::tiny_model(11, 21);
  const auto backbone = backbone::make_transformer(model, {.precision = at::kDouble});
  probe::ProbeJob job = test::tiny_job(model, 4, 3);
  job.targets_per_tile = 3;
  const std::int64_t tile = job.plan().count() - 1;
  const probe::TilePanel panel = probe::panel_of(job, tile);
  ASSERT_LT(panel.length(), job.gene_count());
  ASSERT_GT(panel.first_target, 0);

  probe::ProbeJob alone = job;
  alone.targets_per_tile = 0;
  alone.genes.clear();
  alone.gene_ids.clear();
  for (const std::int64_t gene : panel.genes) {
    alone.genes.push_back(job.genes[static_cast<std::size_t>(gene)]);
    alone.gene_ids.push_back(job.gene_ids[static_cast<std::size_t>(gene)]);
  }
  alone.sources = panel.sources;
  const auto rows_of_panel = [&](const probe::ValueRows& rows) {
    std::vector<float> values;
    for (std::int64_t row = 0; row < rows.count(); ++row)
      for (const float value : probe::values_of_panel(panel, rows.read(row, row + 1).data()))
        values.push_back(value);
    return std::make_shared<probe::FixedRows>(panel.length(), values);
  };
  alone.backgrounds = rows_of_panel(*job.backgrounds);
  alone.cells = rows_of_panel(*job.cells);
  alone.mean = probe::values_of_panel(panel, job.mean.data());

  const auto compute = [&](const probe::ProbeJob& of, std::int64_t index) {
    probe::TileFeatures features(of, index);
    for (const auto& part : probe::parts_of_tile(of)) features.add(*backbone, part);
    return features.features(*backbone);
  };
  const auto tiled = compute(job, tile);
  for (const auto& [name, all] : compute(alone, 0)) {
    const std::size_t width = all.size() / static_cast<std::size_t>(panel.source_count() * panel.length());
    const std::vector<float>& found = tiled.at(name);
    ASSERT_EQ(found.size(), static_cast<std::size_t>(panel.block.pairs()) * width) << name;
    for (std::int64_t s = 0; s < panel.source_count(); ++s)
      for (std::int64_t t = 0; t < panel.target_count(); ++t)
        for (std::size_t k = 0; k < width; ++k)
          ASSERT_NEAR(found[static_cast<std::size_t>(s * panel.target_count() + t) * width + k],
                      all[static_cast<std::size_t>(s * panel.length() + panel.first_target + t) * width + k],
                      1e-6)
              << name;
  }
}

}  // namespace
