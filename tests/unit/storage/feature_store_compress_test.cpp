#include <gtest/gtest.h>

#include "regulus/storage/feature_store.h"
#include "support/expect_error.h"
#include "support/file_size_limit.h"
#include "support/python.h"
#include "support/small_store.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::small_header;
using test::tiled_header;

class CompressedFeatureStore : public ::testing::Test {
 protected:
  const comm::Communicator world_ = comm::Communicator::world();
  const test::TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "features.h5";
};

/// Many genes, so that there are several chunks of rows, and of a row.
FeatureStoreHeader wide_header() {
  FeatureStoreHeader header = tiled_header();
  for (int i = 0; i < 3000; ++i) header.targets.push_back("X" + std::to_string(i));
  header.targets_per_tile = 700;
  header.probes[1].width = 100;
  return header;
}

TEST_F(CompressedFeatureStore, HoldsTheSameNumbers) {
  for (const auto& header : {small_header(), tiled_header(), wide_header()}) {
    test::write_small_store(world_, path_, header, 4);
    const FeatureStore store(path_);
    EXPECT_EQ(store.read("gdt"), test::small_values(header, 0, {0, 7}));
    EXPECT_EQ(store.read("vvp"), test::small_values(header, 1, {0, 7}));
    EXPECT_EQ(store.read_sources("vvp", 3, 2), test::small_values(header, 1, {3, 2}));
  }
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".partial"));
}

TEST_F(CompressedFeatureStore, SaysTheSameOfItself) {
  test::write_small_store(world_, path_, tiled_header(), 9);
  const FeatureStoreSummary summary = describe_feature_store(path_);
  EXPECT_TRUE(summary.complete);
  EXPECT_EQ(summary.tiles_done, 12);
  EXPECT_EQ(summary.header.job_json, tiled_header().job_json);
  EXPECT_EQ(summary.header.targets_per_tile, 2);
  EXPECT_EQ(summary.header.grids, tiled_header().grids);
  EXPECT_EQ(summary.header.provenance_json, "{\"seed\": 1, \"done\": true}");
  EXPECT_EQ(FeatureStore(path_).read_tile_columns("kept")[7], 301);
}

TEST_F(CompressedFeatureStore, IsSmaller) {
  test::write_small_store(world_, path_, wide_header());
  const auto plain = std::filesystem::file_size(path_);
  test::write_small_store(world_, path_, wide_header(), 6);
  EXPECT_LT(std::filesystem::file_size(path_), plain / 3);
}

TEST_F(CompressedFeatureStore, AFullDiskLeavesTheStoreToBeFinished) {
  const auto header = wide_header();
  auto writer = FeatureStoreWriter::create(world_, path_, header);
  test::write_small_tiles(world_, writer, header, 0, writer.tile_count());
  {
    const test::FileSizeLimit limit(100'000);
    error_of(ErrorKind::Storage, [&] { writer.finish("{}", 1); });
  }
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".partial"));
  EXPECT_EQ(store_state(path_), StoreState::Unfinished);
  auto again = FeatureStoreWriter::resume(world_, path_, header);
  EXPECT_EQ(std::count(again.done().begin(), again.done().end(), 0), 0);
  again.finish("{}", 1);
  EXPECT_EQ(FeatureStore(path_).read("gdt"), test::small_values(header, 0, {0, 7}));
}

TEST_F(CompressedFeatureStore, LevelsAreFrom0To9) {
  for (const int level : {-1, 10}) {
    auto writer = FeatureStoreWriter::create(world_, path_, small_header());
    test::write_small_tiles(world_, writer, small_header(), 0, 4);
    error_of(ErrorKind::Internal, [&] { writer.finish("{}", level); });
  }
}

TEST_F(CompressedFeatureStore, H5pyReadsIt) {
  if (!test::has_h5py()) GTEST_SKIP() << "reason: /usr/bin/python3 has no h5py";
  test::write_small_store(world_, path_, wide_header(), 4);
  EXPECT_EQ(test::run_python(folder_ / "check.py", R"(
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], "r")
data = f["features/vvp"]
assert f.attrs["complete"] == 1 and data.compression == "gzip" and data.compression_opts == 4 and data.shuffle
s, t, c = np.meshgrid(range(7), range(3005), range(100), indexing="ij")
assert np.array_equal(data[:], (1000.5 + 100 * s + 10 * t + c).astype("f4"))
assert f["tiles/done"][:].all()
)",
                             path_),
            0);
}

}  // namespace
}  // namespace regulus::storage
