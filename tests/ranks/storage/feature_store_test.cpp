#include "regulus/storage/feature_store.h"

#include <gtest/gtest.h>

#include "regulus/comm/agree.h"
#include "support/expect_error.h"
#include "support/file_size_limit.h"
#include "support/small_store.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;
using test::small_header;
using Tiles = std::vector<FeatureStoreWriter::Tile>;

/// A folder of rank 0 that all ranks use; removed after all are done with it.
class SharedFolder : public ::testing::Test {
 protected:
  const comm::Communicator world_ = comm::Communicator::world();

  void SetUp() override {
    std::string name = own_.path().string();
    world_.broadcast(name);
    folder_ = name;
  }
  void TearDown() override { world_.barrier(); }

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

 private:
  const test::TempFolder own_;
  std::filesystem::path folder_;
};

using ParallelFeatureStore = SharedFolder;

TEST_F(ParallelFeatureStore, HoldsTheSameNumbersForAnyNumberOfRanks) {
  test::write_small_store(world_, file("features.h5"));
  const FeatureStore store(file("features.h5"));
  EXPECT_EQ(store.read("gdt"), test::small_values(small_header(), 0, {0, 7}));
  EXPECT_EQ(store.read("vvp"), test::small_values(small_header(), 1, {0, 7}));
  EXPECT_EQ(describe_feature_store(file("features.h5")).tiles_done, 4);
}

TEST_F(ParallelFeatureStore, TilesOfSourcesAndTargetsHoldTheSameNumbersForAnyNumberOfRanks) {
  const auto header = test::tiled_header();
  test::write_small_store(world_, file("features.h5"), header);
  const FeatureStore store(file("features.h5"));
  EXPECT_EQ(store.read("gdt"), test::small_values(header, 0, {0, 7}));
  EXPECT_EQ(store.read("vvp"), test::small_values(header, 1, {0, 7}));
  EXPECT_EQ(store.read_tile_columns("kept")[7], 301);
}

TEST_F(ParallelFeatureStore, OneRankMayHaveAllTiles) {
  const auto header = small_header();
  auto writer = FeatureStoreWriter::create(world_, file("features.h5"), header);
  Tiles mine;
  if (world_.rank() == world_.size() - 1)
    for (std::int64_t tile = 0; tile < 4; ++tile) mine.push_back(test::small_tile(header, 3 - tile));
  writer.write_round(mine);
  writer.write_round({});
  writer.finish("{}");
  EXPECT_EQ(FeatureStore(file("features.h5")).read("vvp"), test::small_values(header, 1, {0, 7}));
}

TEST_F(ParallelFeatureStore, TheSizeOfTheTransfersDoesNotShow) {
  for (const std::int64_t transfer_values : {1, 5, 13, 24}) {
    const auto header = transfer_values == 5 ? test::tiled_header() : small_header();
    auto writer = FeatureStoreWriter::create(world_, file("features.h5"), header, transfer_values);
    Tiles mine;
    for (std::int64_t tile = world_.rank(); tile < writer.tile_count(); tile += world_.size())
      mine.push_back(test::small_tile(header, tile));
    writer.write_round(mine);
    writer.finish("{}");
    const FeatureStore store(file("features.h5"));
    EXPECT_EQ(store.read("gdt"), test::small_values(header, 0, {0, 7})) << transfer_values;
    EXPECT_EQ(store.read("vvp"), test::small_values(header, 1, {0, 7})) << transfer_values;
    world_.barrier();
  }
}

TEST_F(ParallelFeatureStore, AWrongTileOfOneRankIsTheSameErrorOnAll) {
  const auto header = small_header();
  auto writer = FeatureStoreWriter::create(world_, file("features.h5"), header);
  Tiles mine;
  if (world_.rank() == world_.size() - 1) {
    mine.push_back(test::small_tile(header, 2));
    mine.front().features["gdt"].push_back(0.0F);
  }
  const auto text = error_of(ErrorKind::Internal, [&] { writer.write_round(mine); });
  expect_mentions(text, "tile 2", "gdt");
  EXPECT_EQ(describe_feature_store(file("features.h5")).tiles_done, 0);
}

TEST_F(ParallelFeatureStore, ATileOfTwoRanksIsRefusedOnAll) {
  if (world_.size() < 2) GTEST_SKIP() << "reason: needs two ranks";
  auto writer = FeatureStoreWriter::create(world_, file("features.h5"), small_header());
  Tiles mine;
  if (world_.rank() < 2) mine.push_back(test::small_tile(small_header(), 1));
  expect_mentions(error_of(ErrorKind::Internal, [&] { writer.write_round(mine); }), "tile 1", "twice");
}

TEST_F(ParallelFeatureStore, AnUnwritableFolderIsTheSameErrorOnAll) {
  const auto path = file("no/such/features.h5");
  const auto text = error_of(ErrorKind::Storage,
                             [&] { auto writer = FeatureStoreWriter::create(world_, path, small_header()); });
  expect_mentions(text, path.string(), "No such file");
}

TEST_F(ParallelFeatureStore, ADiskThatFillsUpIsTheSameErrorOnAllAndMarksNothingDone) {
  auto header = small_header();
  header.probes[1].width = 20000;
  auto writer = FeatureStoreWriter::create(world_, file("features.h5"), header);
  Tiles mine;
  for (std::int64_t tile = 0; tile < 4; ++tile)
    if (tile % world_.size() == world_.rank()) mine.push_back(test::small_tile(header, tile));
  {
    const test::FileSizeLimit limit(16 * 1024);
    error_of(ErrorKind::Storage, [&] { writer.write_round(mine); });
  }
  const auto summary = describe_feature_store(file("features.h5"));
  EXPECT_EQ(summary.tiles_done, 0);
  EXPECT_FALSE(summary.complete);
}

TEST_F(ParallelFeatureStore, ReplacesAnOlderStore) {
  test::write_small_store(world_, file("features.h5"));
  { auto writer = FeatureStoreWriter::create(world_, file("features.h5"), small_header()); }
  world_.barrier();
  EXPECT_FALSE(describe_feature_store(file("features.h5")).complete);
}

}  // namespace
}  // namespace regulus::storage
