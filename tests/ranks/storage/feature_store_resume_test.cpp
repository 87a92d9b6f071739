// A store that one number of ranks wrote half of, another number goes on with.
#include <gtest/gtest.h>

#include "regulus/comm/agree.h"
#include "regulus/storage/feature_store.h"
#include "support/expect_error.h"
#include "support/file_size_limit.h"
#include "support/small_store.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;
using test::tiled_header;

class ParallelResume : public ::testing::Test {
 protected:
  const comm::Communicator world_ = comm::Communicator::world();

  void SetUp() override {
    std::string name = own_.path().string();
    world_.broadcast(name);
    file_ = std::filesystem::path(name) / "features.h5";
  }
  void TearDown() override { world_.barrier(); }

  static void write_half(const comm::Communicator& comm, const std::filesystem::path& file) {
    auto writer = FeatureStoreWriter::create(comm, file, tiled_header());
    test::write_small_tiles(comm, writer, tiled_header(), 0, 2);
    test::write_small_tiles(comm, writer, tiled_header(), 5, 8);
    writer.suspend();
  }

  void finish_rest(const comm::Communicator& comm, int compression = 0) {
    auto writer = FeatureStoreWriter::resume(comm, file_, tiled_header());
    EXPECT_EQ(writer.done(), (std::vector<std::uint8_t>{1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0}));
    test::write_small_tiles(comm, writer, tiled_header(), 2, 5);
    test::write_small_tiles(comm, writer, tiled_header(), 8, 12);
    writer.finish("{}", compression);
  }

  void expect_whole() {
    const FeatureStore store(file_);
    EXPECT_EQ(store.read("gdt"), test::small_values(tiled_header(), 0, {0, 7}));
    EXPECT_EQ(store.read("vvp"), test::small_values(tiled_header(), 1, {0, 7}));
    for (std::size_t tile = 0; tile < 12; ++tile)
      EXPECT_EQ(store.read_tile_columns("units")[tile], static_cast<std::int64_t>(100 * tile));
  }

  std::filesystem::path file_;

 private:
  const test::TempFolder own_;
};

TEST_F(ParallelResume, OfAllRanks) {
  write_half(world_, file_);
  finish_rest(world_);
  expect_whole();
}

TEST_F(ParallelResume, OfAllRanksAfterOneAlone) {
  comm::agree_on_root(world_, "writing", [&] { write_half(comm::Communicator::self(), file_); });
  finish_rest(world_);
  expect_whole();
}

TEST_F(ParallelResume, OfOneAloneAfterAllRanks) {
  write_half(world_, file_);
  comm::agree_on_root(world_, "writing", [&] { finish_rest(comm::Communicator::self()); });
  expect_whole();
}

TEST_F(ParallelResume, Compressed) {
  write_half(world_, file_);
  finish_rest(world_, 4);
  expect_whole();
}

TEST_F(ParallelResume, AnotherJobIsTheSameErrorOnAll) {
  write_half(world_, file_);
  auto header = tiled_header();
  header.job_json = R"({"grid": [0.1, 0.5], "seed": 2})";
  const auto text = error_of(ErrorKind::Options, [&] { FeatureStoreWriter::resume(world_, file_, header); });
  expect_mentions(text, "--seed", "2 differs from 1");
}

TEST_F(ParallelResume, AMissingFileIsTheSameErrorOnAll) {
  expect_mentions(
      error_of(ErrorKind::Input, [&] { FeatureStoreWriter::resume(world_, file_, tiled_header()); }),
      file_.string());
}

TEST_F(ParallelResume, AfterTheDiskWasFull) {
  auto header = tiled_header();
  header.probes[1].width = 20000;
  {
    auto writer = FeatureStoreWriter::create(world_, file_, header);
    test::write_small_tiles(world_, writer, header, 0, 2);
    const test::FileSizeLimit limit(16 * 1024);
    error_of(ErrorKind::Storage, [&] { test::write_small_tiles(world_, writer, header, 2, 12); });
  }
  world_.barrier();
  EXPECT_EQ(describe_feature_store(file_).tiles_done, 2);
  auto writer = FeatureStoreWriter::resume(world_, file_, header);
  test::write_small_tiles(world_, writer, header, 2, 12);
  writer.finish("{}");
  EXPECT_EQ(FeatureStore(file_).read("vvp"), test::small_values(header, 1, {0, 7}));
}

}  // namespace
}  // namespace regulus::storage
