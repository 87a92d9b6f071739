#include <gtest/gtest.h>

#include <fstream>

#include "regulus/storage/feature_store.h"
#include "regulus/storage/text_file.h"
#include "support/expect_error.h"
#include "support/small_store.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;
using test::tiled_header;

class FeatureStoreResume : public ::testing::Test {
 protected:
  const comm::Communicator world_ = comm::Communicator::world();
  const test::TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "features.h5";

  /// Five of twelve tiles.
  void write_unfinished() {
    auto writer = FeatureStoreWriter::create(world_, path_, tiled_header());
    test::write_small_tiles(world_, writer, tiled_header(), 0, 5);
    writer.suspend();
  }

  std::string refusal(ErrorKind kind, const FeatureStoreHeader& header) {
    const std::string before = read_text(path_);
    const std::string text = error_of(kind, [&] { FeatureStoreWriter::resume(world_, path_, header); });
    EXPECT_EQ(read_text(path_), before);
    return text;
  }
};

TEST_F(FeatureStoreResume, StatesOfAPath) {
  EXPECT_EQ(store_state(path_), StoreState::Absent);
  write_unfinished();
  EXPECT_EQ(store_state(path_), StoreState::Unfinished);
  test::write_small_store(world_, path_);
  EXPECT_EQ(store_state(path_), StoreState::Complete);
  std::ofstream(path_) << "text";
  expect_mentions(error_of(ErrorKind::Input, [&] { store_state(path_); }), path_.string());
}

TEST_F(FeatureStoreResume, GoesOnWhereTheOtherStopped) {
  write_unfinished();
  auto writer = FeatureStoreWriter::resume(world_, path_, tiled_header());
  EXPECT_EQ(writer.done(), (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0}));
  test::write_small_tiles(world_, writer, tiled_header(), 5, 12);
  EXPECT_EQ(writer.done(), std::vector<std::uint8_t>(12, 1));
  writer.finish("{}");
  const FeatureStore store(path_);
  EXPECT_EQ(store.read("vvp"), test::small_values(tiled_header(), 1, {0, 7}));
  EXPECT_EQ(store.read("gdt"), test::small_values(tiled_header(), 0, {0, 7}));
  EXPECT_EQ(store.read_tile_columns("units")[4], 400);
  EXPECT_EQ(store.read_tile_columns("units")[5], 500);
}

TEST_F(FeatureStoreResume, ATileThatIsDoneIsNotWrittenAgain) {
  write_unfinished();
  auto writer = FeatureStoreWriter::resume(world_, path_, tiled_header());
  expect_mentions(
      error_of(ErrorKind::Internal, [&] { writer.write_round({test::small_tile(tiled_header(), 4)}); }),
      "tile 4", "twice");
}

TEST_F(FeatureStoreResume, AMarkOtherThan1IsNotDone) {
  write_unfinished();
  H5File file = H5File::open_update(path_);
  file.write_block<std::uint8_t>("/tiles/done", {{0}, {2}}, std::vector<std::uint8_t>{7, 0});
  file.close();
  const auto done = FeatureStoreWriter::resume(world_, path_, tiled_header()).done();
  EXPECT_EQ(done, (std::vector<std::uint8_t>{0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0}));
}

TEST_F(FeatureStoreResume, AnotherJobIsRefusedByName) {
  write_unfinished();
  auto header = tiled_header();
  header.job_json = R"({"grid": [0.1, 0.7], "seed": 1})";
  header.sources_per_tile = 3;  // the job is named, not what follows from it
  expect_mentions(refusal(ErrorKind::Options, header), "--grid", "[0.1,0.7]", "[0.1,0.5]", path_.string());
  header.job_json = R"({"grid": [0.1, 0.5], "seed": 1, "cells": 3})";
  expect_mentions(refusal(ErrorKind::Options, header), "--cells", "3", "nothing");
}

TEST_F(FeatureStoreResume, ACompleteStoreIsComparedAndNotTouched) {
  test::write_small_store(world_, path_, tiled_header());
  const std::string before = read_text(path_);
  require_same_job(path_, R"({"seed": 1, "grid": [0.1, 0.5]})");
  expect_mentions(
      error_of(ErrorKind::Options, [&] { require_same_job(path_, R"({"seed": 2, "grid": [0.1, 0.5]})"); }),
      "--seed", "2 differs from 1", path_.string());
  EXPECT_EQ(read_text(path_), before);
  expect_mentions(refusal(ErrorKind::Input, tiled_header()), "complete");
}

TEST_F(FeatureStoreResume, AnotherStructureIsRefused) {
  write_unfinished();
  const auto refuse = [&](auto change) {
    auto header = tiled_header();
    change(header);
    return refusal(ErrorKind::Input, header);
  };
  expect_mentions(refuse([](auto& header) { header.sources.back() = "X"; }), "sources");
  expect_mentions(refuse([](auto& header) { header.targets.push_back("X"); }), "targets");
  expect_mentions(refuse([](auto& header) { header.probes[0].width = 3; }), "probes");
  expect_mentions(refuse([](auto& header) { header.tile_columns.pop_back(); }), "tile columns");
  expect_mentions(refuse([](auto& header) { header.targets_per_tile = 0; }), "tile plan");
  expect_mentions(refuse([](auto& header) { header.kind = StoreKind::Scores; }), "working scores");
}

TEST_F(FeatureStoreResume, WhatIsNoStoreIsRefused) {
  error_of(ErrorKind::Input, [&] { FeatureStoreWriter::resume(world_, path_, tiled_header()); });
  std::ofstream(path_) << "text";
  expect_mentions(refusal(ErrorKind::Input, tiled_header()), path_.string(), "not an HDF5 file");
}

TEST_F(FeatureStoreResume, ATruncatedStoreIsRefusedAtEveryLength) {
  write_unfinished();
  const std::string whole = read_text(path_);
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 61) {
    std::ofstream(path_, std::ios::binary) << whole.substr(0, length);
    refusal(ErrorKind::Input, tiled_header());
    error_of(ErrorKind::Input, [&] { store_state(path_); });
  }
}

TEST_F(FeatureStoreResume, NeedsNoProvenance) {
  write_unfinished();
  H5File file = H5File::open_update(path_);
  file.write_attribute_int("/", "provenance", 1);
  file.close();
  EXPECT_EQ(store_state(path_), StoreState::Unfinished);
  auto writer = FeatureStoreWriter::resume(world_, path_, tiled_header());
  test::write_small_tiles(world_, writer, tiled_header(), 5, 12);
  writer.finish(R"({"seed": 3})");
  EXPECT_EQ(FeatureStore(path_).header().provenance_json, R"({"seed": 3})");
}

TEST_F(FeatureStoreResume, AnUnreadableJobIsDamage) {
  write_unfinished();
  H5File file = H5File::open_update(path_);
  file.write_attribute_string("/", "job", "{");
  file.close();
  expect_mentions(refusal(ErrorKind::Input, tiled_header()), "not readable");
}

}  // namespace
}  // namespace regulus::storage
