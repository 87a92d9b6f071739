#include "regulus/storage/feature_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "regulus/storage/text_file.h"
#include "support/expect_error.h"
#include "support/python.h"
#include "support/small_store.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;
using test::small_header;
using test::small_value;

class FeatureStoreTest : public ::testing::Test {
 protected:
  const comm::Communicator world_ = comm::Communicator::world();
  const test::TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "features.h5";

  /// The first two of four tiles.
  void write_unfinished() {
    auto writer = FeatureStoreWriter::create(world_, path_, small_header());
    writer.write_round({test::small_tile(small_header(), 1), test::small_tile(small_header(), 0)});
  }
};

TEST_F(FeatureStoreTest, TilesCoverTheSourcesOnce) {
  const auto header = small_header();
  ASSERT_EQ(header.plan().count(), 4);
  std::int64_t next = 0;
  for (std::int64_t tile = 0; tile < 4; ++tile) {
    EXPECT_EQ(header.plan().block(tile).source_begin, next);
    EXPECT_EQ(header.plan().block(tile).target_count, 3);
    next += header.plan().block(tile).source_count;
  }
  EXPECT_EQ(next, 7);
}

TEST_F(FeatureStoreTest, HeaderRoundTrip) {
  test::write_small_store(world_, path_);
  const FeatureStore store(path_);
  const auto expected = small_header();
  EXPECT_EQ(store.header().sources, expected.sources);
  EXPECT_EQ(store.header().targets, expected.targets);
  EXPECT_EQ(store.header().grids, expected.grids);
  EXPECT_EQ(store.header().background, "cells");
  EXPECT_EQ(store.header().checkpoint_sha256, expected.checkpoint_sha256);
  EXPECT_EQ(store.header().sources_per_tile, 2);
  EXPECT_EQ(store.header().provenance_json, "{\"seed\": 1, \"done\": true}");
  ASSERT_EQ(store.header().probes.size(), 2U);
  EXPECT_EQ(store.header().probes[1].name, "vvp");
  EXPECT_EQ(store.header().probes[1].width, 4);
  EXPECT_EQ(store.header().probes[1].description, "response at four grid values");
}

TEST_F(FeatureStoreTest, EveryValueIsInItsPlace) {
  test::write_small_store(world_, path_);
  const FeatureStore store(path_);
  EXPECT_EQ(store.read("gdt"), test::small_values(small_header(), 0, {0, 7}));
  EXPECT_EQ(store.read("vvp"), test::small_values(small_header(), 1, {0, 7}));
  EXPECT_EQ(store.read_sources("vvp", 5, 2), test::small_values(small_header(), 1, {5, 2}));
  EXPECT_EQ(store.read_sources("gdt", 6, 1).back(), small_value(0, 6, 2, 1));
}

TEST_F(FeatureStoreTest, WrongRequestsAreInputErrors) {
  test::write_small_store(world_, path_);
  const FeatureStore store(path_);
  expect_mentions(error_of(ErrorKind::Input, [&] { store.read("attn"); }), "attn", path_.string(),
                  "--features");
  error_of(ErrorKind::Input, [&] { store.read_sources("vvp", 6, 2); });
}

TEST_F(FeatureStoreTest, AnUnfinishedStoreSaysHowFarItGot) {
  write_unfinished();
  expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(path_); }), path_.string(),
                  "unfinished", "2 of 4 tiles");
  const FeatureStoreSummary summary = describe_feature_store(path_);
  EXPECT_FALSE(summary.complete);
  EXPECT_EQ(summary.tiles, 4);
  EXPECT_EQ(summary.tiles_done, 2);
  EXPECT_EQ(summary.header.targets, small_header().targets);
}

TEST_F(FeatureStoreTest, AWholeStoreSaysSo) {
  test::write_small_store(world_, path_);
  const FeatureStoreSummary summary = describe_feature_store(path_);
  EXPECT_TRUE(summary.complete);
  EXPECT_EQ(summary.tiles_done, 4);
  EXPECT_TRUE(is_feature_store(path_));
  EXPECT_FALSE(is_feature_store(folder_ / "missing.h5"));
}

TEST_F(FeatureStoreTest, AnotherHdf5FileIsNotAFeatureStore) {
  H5File file = H5File::create(path_);
  file.write("/X", std::vector<float>{1.0F});
  file.close();
  EXPECT_FALSE(is_feature_store(path_));
  expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(path_); }), path_.string(),
                  "not a feature store");
}

TEST_F(FeatureStoreTest, ANewerVersionIsRefused) {
  test::write_small_store(world_, path_);
  H5File file = H5File::open_update(path_);
  file.write_attribute_int("/", "version", 3);
  file.close();
  expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(path_); }), "version 3");
}

TEST_F(FeatureStoreTest, ATruncatedStoreIsAnErrorAtEveryLength) {
  test::write_small_store(world_, path_);
  const std::string whole = read_text(path_);
  const auto cut = folder_ / "cut.h5";
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 61) {
    std::filesystem::remove(cut);
    std::ofstream(cut, std::ios::binary) << whole.substr(0, length);
    expect_mentions(error_of(ErrorKind::Input, [&] { FeatureStore store(cut); }), "cut.h5");
    EXPECT_FALSE(is_feature_store(cut));
  }
}

TEST_F(FeatureStoreTest, TilesThatDoNotFitAreRefused) {
  auto writer = FeatureStoreWriter::create(world_, path_, small_header());
  auto short_tile = test::small_tile(small_header(), 0);
  short_tile.features["vvp"].pop_back();
  expect_mentions(error_of(ErrorKind::Internal, [&] { writer.write_round({short_tile}); }), "tile 0", "vvp",
                  "24");
  auto unknown = test::small_tile(small_header(), 0);
  unknown.index = 4;
  error_of(ErrorKind::Internal, [&] { writer.write_round({unknown}); });
  const auto good = test::small_tile(small_header(), 0);
  expect_mentions(error_of(ErrorKind::Internal, [&] { writer.write_round({good, good}); }), "twice");
  error_of(ErrorKind::Internal, [&] { writer.finish("{}"); });
}

TEST_F(FeatureStoreTest, AStoreThatMakesNoSenseIsRefused) {
  auto header = small_header();
  header.probes.push_back(header.probes.front());
  expect_mentions(
      error_of(ErrorKind::Internal, [&] { auto writer = FeatureStoreWriter::create(world_, path_, header); }),
      "gdt", "twice");
  header = small_header();
  header.sources.clear();
  error_of(ErrorKind::Internal, [&] { auto writer = FeatureStoreWriter::create(world_, path_, header); });
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(FeatureStoreTest, AnUnwritablePathIsAStorageError) {
  const auto missing = folder_ / "no/such/features.h5";
  const auto text = error_of(
      ErrorKind::Storage, [&] { auto writer = FeatureStoreWriter::create(world_, missing, small_header()); });
  expect_mentions(text, missing.string(), "No such file");
}

TEST_F(FeatureStoreTest, H5pyReadsIt) {
  if (!test::has_h5py()) GTEST_SKIP() << "reason: /usr/bin/python3 has no h5py";
  test::write_small_store(world_, path_);
  EXPECT_EQ(test::run_python(folder_ / "check.py", R"(
import sys, json, h5py, numpy as np
f = h5py.File(sys.argv[1], "r")
assert f.attrs["format"] == "regulus feature store" and f.attrs["complete"] == 1
assert json.loads(f.attrs["grids"]) == {"gradient": [0.1, 1 / 3], "v_b": [0.0]}
assert list(f["genes/source"].asstr()[:])[-1] == "β6" and len(f["genes/target"]) == 3
s, t, c = np.meshgrid(range(7), range(3), range(4), indexing="ij")
assert f["features/vvp"].dtype == "<f4"
assert np.array_equal(f["features/vvp"][:], 1000.5 + 100 * s + 10 * t + c)
assert f["tiles/plan"][:].tolist() == [[0, 2, 0, 3], [2, 2, 0, 3], [4, 2, 0, 3], [6, 1, 0, 3]] and f["tiles/done"][:].all()
)",
                             path_),
            0);
}

}  // namespace
}  // namespace regulus::storage
