// Tiles of sources x targets, the numbers of tiles, the kinds and versions of a store.
#include <gtest/gtest.h>

#include "regulus/storage/feature_store.h"
#include "support/expect_error.h"
#include "support/python.h"
#include "support/small_store.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;
using test::small_header;
using test::tiled_header;

class FeatureStoreTiles : public ::testing::Test {
 protected:
  const comm::Communicator world_ = comm::Communicator::world();
  const test::TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "features.h5";
};

TEST_F(FeatureStoreTiles, CoverEveryPairOnceBySourceBlockThenTargetBlock) {
  const auto header = tiled_header();
  ASSERT_EQ(header.plan().count(), 4 * 3);
  std::vector<int> covered(7 * 5, 0);
  TileBlock before;
  for (std::int64_t tile = 0; tile < header.plan().count(); ++tile) {
    const TileBlock block = header.plan().block(tile);
    for (std::int64_t s = 0; s < block.source_count; ++s)
      for (std::int64_t t = 0; t < block.target_count; ++t)
        ++covered[static_cast<std::size_t>((block.source_begin + s) * 5 + block.target_begin + t)];
    EXPECT_EQ(block.target_begin, tile % 3 * 2);
    EXPECT_GE(block.source_begin, before.source_begin);
    before = block;
  }
  EXPECT_EQ(covered, std::vector<int>(7 * 5, 1));
}

TEST_F(FeatureStoreTiles, EveryValueIsInItsPlace) {
  test::write_small_store(world_, path_, tiled_header());
  const FeatureStore store(path_);
  EXPECT_EQ(store.read("gdt"), test::small_values(tiled_header(), 0, {0, 7}));
  EXPECT_EQ(store.read("vvp"), test::small_values(tiled_header(), 1, {0, 7}));
  for (std::int64_t source = 0; source < 7; ++source)
    EXPECT_EQ(store.read_sources("vvp", source, 1), test::small_values(tiled_header(), 1, {source, 1}));
  EXPECT_EQ(store.read_sources("gdt", 1, 4), test::small_values(tiled_header(), 0, {1, 4}));
}

TEST_F(FeatureStoreTiles, HeaderRoundTrip) {
  test::write_small_store(world_, path_, tiled_header());
  const FeatureStoreHeader header = FeatureStore(path_).header();
  EXPECT_EQ(header.sources_per_tile, 2);
  EXPECT_EQ(header.targets_per_tile, 2);
  EXPECT_EQ(header.job_json, tiled_header().job_json);
  ASSERT_EQ(header.tile_columns.size(), 2U);
  EXPECT_EQ(header.tile_columns[0].name, "kept");
  EXPECT_EQ(header.tile_columns[0].width, 2);
  EXPECT_EQ(header.tile_columns[0].description, "pairs kept and left out");
  EXPECT_EQ(header.tile_columns[1].name, "units");
}

TEST_F(FeatureStoreTiles, NumbersOfTiles) {
  test::write_small_store(world_, path_, tiled_header());
  const FeatureStore store(path_);
  const auto units = store.read_tile_columns("units");
  const auto kept = store.read_tile_columns("kept");
  std::vector<std::int64_t> sums(store.sum_tile_columns("units").size(), 0);
  for (std::size_t i = 0; i < units.size(); ++i) sums[i % sums.size()] += units[i];
  EXPECT_EQ(store.sum_tile_columns("units"), sums);
  ASSERT_EQ(units.size(), 12U);
  ASSERT_EQ(kept.size(), 24U);
  for (std::size_t tile = 0; tile < 12; ++tile) {
    EXPECT_EQ(units[tile], static_cast<std::int64_t>(100 * tile));
    EXPECT_EQ(kept[2 * tile + 1], static_cast<std::int64_t>(100 * tile + 1));
  }
  expect_mentions(error_of(ErrorKind::Input, [&] { store.read_tile_columns("done"); }), "'done'");
}

TEST_F(FeatureStoreTiles, NumbersThatDoNotFitAreRefused) {
  auto writer = FeatureStoreWriter::create(world_, path_, tiled_header());
  auto tile = test::small_tile(tiled_header(), 3);
  tile.counts["kept"].pop_back();
  expect_mentions(error_of(ErrorKind::Internal, [&] { writer.write_round({tile}); }), "tile 3", "2 values",
                  "kept");
  tile.counts.erase("kept");
  error_of(ErrorKind::Internal, [&] { writer.write_round({tile}); });
  tile = test::small_tile(tiled_header(), 3);
  tile.counts["unknown"] = {1};
  error_of(ErrorKind::Internal, [&] { writer.write_round({tile}); });
}

TEST_F(FeatureStoreTiles, HeadersThatMakeNoSenseAreRefused) {
  const auto refuse = [&](auto change) {
    auto header = tiled_header();
    change(header);
    return error_of(ErrorKind::Internal, [&] { FeatureStoreWriter::create(world_, path_, header); });
  };
  expect_mentions(refuse([](auto& header) { header.tile_columns[0].name = "done"; }), "tile column 'done'");
  expect_mentions(refuse([](auto& header) { header.tile_columns[0].width = 0; }), "units");
  expect_mentions(refuse([](auto& header) { header.job_json = "[1]"; }), "job");
  expect_mentions(refuse([](auto& header) { header.job_json = "{"; }), "job");
  refuse([](auto& header) { header.targets_per_tile = -1; });
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(FeatureStoreTiles, WorkingScoresAreNoFeatures) {
  auto header = tiled_header();
  header.kind = StoreKind::Scores;
  test::write_small_store(world_, path_, header);
  EXPECT_FALSE(is_feature_store(path_));
  EXPECT_TRUE(is_feature_store(path_, StoreKind::Scores));
  expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(path_); }), "not a feature store",
                  "regulus probe");
  expect_mentions(error_of(ErrorKind::Input, [&] { store_state(path_); }), path_.string());
  const FeatureStore scores(path_, StoreKind::Scores);
  EXPECT_EQ(scores.read("vvp"), test::small_values(header, 1, {0, 7}));
  EXPECT_EQ(scores.header().kind, StoreKind::Scores);
}

TEST_F(FeatureStoreTiles, FeaturesAreNoWorkingScores) {
  test::write_small_store(world_, path_);
  expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(path_, StoreKind::Scores); }),
                  "working scores", "regulus infer");
}

/// A complete store as format version 1 has it.
void write_version_1(const std::filesystem::path& path) {
  const auto header = small_header();
  H5File file = H5File::create(path);
  for (const auto& [name, value] : {std::pair{"format", "regulus feature store"},
                                    {"provenance", "{}"},
                                    {"checkpoint_sha256", "ab"},
                                    {"grids", "{}"},
                                    {"background", "cells"}})
    file.write_attribute_string("/", name, value);
  file.write_attribute_int("/", "version", 1);
  file.write_strings("/genes/source", header.sources);
  file.write_strings("/genes/target", header.targets);
  file.write("/tiles/plan", std::vector<std::int64_t>{0, 2, 2, 2, 4, 2, 6, 1}, {4, 2});
  file.write("/tiles/done", std::vector<std::uint8_t>(4, 1));
  file.write("/features/gdt", test::small_values(header, 0, {0, 7}), {7, 3, 2});
  file.write_attribute_string("/features/gdt", "description", "");
  file.write_attribute_int("/", "complete", 1);
  file.close();
}

TEST_F(FeatureStoreTiles, Version1IsRead) {
  write_version_1(path_);
  const FeatureStore store(path_);
  EXPECT_EQ(store.read("gdt"), test::small_values(small_header(), 0, {0, 7}));
  EXPECT_EQ(store.header().targets_per_tile, 0);
  EXPECT_EQ(store.header().sources_per_tile, 2);
  EXPECT_TRUE(store.header().tile_columns.empty());
  EXPECT_EQ(store_state(path_), StoreState::Complete);
  expect_mentions(error_of(ErrorKind::Input, [&] { require_same_job(path_, "{}"); }), "version 1");
}

TEST_F(FeatureStoreTiles, APlanThatMakesNoSenseIsDamage) {
  using Numbers = std::vector<std::int64_t>;
  for (const Numbers& first :
       {Numbers{0, 0, 0, 2}, Numbers{0, 2, 0, 0}, Numbers{0, 2, 0, 6}, Numbers{0, -1, 0, 2},
        Numbers{0, INT64_MAX, 0, 2}, Numbers{0, 1, 0, 2}, Numbers{0, 2, 0, 5}}) {
    test::write_small_store(world_, path_, tiled_header());
    H5File file = H5File::open_update(path_);
    file.write_block<std::int64_t>("/tiles/plan", {{0, 0}, {1, 4}}, first);
    file.close();
    expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(path_); }), path_.string(), "plan");
  }
}

TEST_F(FeatureStoreTiles, AStoreWithoutGenesIsDamage) {
  H5File file = H5File::create(path_);
  for (const char* name : {"provenance", "checkpoint_sha256", "background"})
    file.write_attribute_string("/", name, "");
  file.write_attribute_string("/", "format", "regulus feature store");
  file.write_attribute_string("/", "grids", "{}");
  file.write_attribute_int("/", "version", 2);
  file.write_attribute_int("/", "complete", 1);
  for (const char* name : {"/genes/source", "/genes/target"}) file.write_strings(name, {});
  file.write("/tiles/plan", std::vector<std::int64_t>(4, 0), {1, 4});
  file.write("/tiles/done", std::vector<std::uint8_t>{1});
  file.write("/features/gdt", std::vector<float>{}, {0, 0, 2});
  file.write_attribute_string("/features/gdt", "description", "");
  file.close();
  expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(path_); }), "plan", "damaged");
}

TEST_F(FeatureStoreTiles, H5pyReadsThem) {
  if (!test::has_h5py()) GTEST_SKIP() << "reason: /usr/bin/python3 has no h5py";
  test::write_small_store(world_, path_, tiled_header());
  EXPECT_EQ(test::run_python(folder_ / "check.py", R"(
import sys, json, h5py, numpy as np
f = h5py.File(sys.argv[1], "r")
assert f.attrs["version"] == 2 and json.loads(f.attrs["job"]) == {"grid": [0.1, 0.5], "seed": 1}
s, t, c = np.meshgrid(range(7), range(5), range(4), indexing="ij")
assert np.array_equal(f["features/vvp"][:], 1000.5 + 100 * s + 10 * t + c)
assert f["features/vvp"].chunks == (2, 2, 4)
plan = f["tiles/plan"][:]
assert plan[:4].tolist() == [[0, 2, 0, 2], [0, 2, 2, 2], [0, 2, 4, 1], [2, 2, 0, 2]] and len(plan) == 12
assert f["tiles/kept"].dtype == "<i8" and f["tiles/kept"][3].tolist() == [300, 301]
)",
                             path_),
            0);
}

}  // namespace
}  // namespace regulus::storage
