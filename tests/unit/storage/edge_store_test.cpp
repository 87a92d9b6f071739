#include "regulus/storage/edge_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "regulus/storage/text_file.h"
#include "support/expect_error.h"
#include "support/file_size_limit.h"
#include "support/python.h"
#include "support/small_edges.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;
using test::small_edge_header;
using test::small_edge_rows;
using test::write_small_edges;

class EdgeStoreTest : public ::testing::Test {
 protected:
  const test::TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "edges.h5";

  /// The text of the error that reading everything gives after a change of the whole file.
  template <typename Change>
  std::string after(Change change) {
    write_small_edges(path_);
    H5File file = H5File::open_update(path_);
    change(file);
    file.close();
    return error_of(ErrorKind::Input, [&] {
      const EdgeStore store(path_);
      store.read(0, store.source_count());
    });
  }

  template <typename Change>
  std::string misuse_by(Change change) {
    EdgeStoreWriter writer(folder_ / "misused.h5", small_edge_header());
    EdgeRows rows = small_edge_rows();
    change(rows);
    return error_of(ErrorKind::Internal, [&] { writer.append(rows); });
  }
};

TEST_F(EdgeStoreTest, ComesBackAsItWas) {
  write_small_edges(path_);
  const EdgeStore store(path_);
  const auto expected = small_edge_header();
  EXPECT_EQ(store.header().sources, expected.sources);
  EXPECT_EQ(store.header().targets, expected.targets);
  EXPECT_EQ(store.header().edges_per_source, 3);
  EXPECT_EQ(to_string(store.header().matrix), "float32");
  EXPECT_TRUE(store.header().spread && store.header().false_discovery);
  EXPECT_EQ(store.header().checkpoint_sha256, expected.checkpoint_sha256);
  EXPECT_EQ(store.header().translator_sha256, expected.translator_sha256);
  EXPECT_EQ(store.header().background, "cells");
  EXPECT_EQ(store.header().provenance_json, "{\"seed\": 1, \"done\": true}");
  const EdgeRows rows = store.read(0, 3);
  EXPECT_EQ(rows.target, small_edge_rows().target);
  EXPECT_EQ(rows.score, small_edge_rows().score);
  EXPECT_EQ(rows.spread, small_edge_rows().spread);
  EXPECT_EQ(rows.false_discovery, small_edge_rows().false_discovery);
  EXPECT_TRUE(rows.matrix.empty());
}

TEST_F(EdgeStoreTest, PartsAreTheRightOnes) {
  write_small_edges(path_);
  const EdgeStore store(path_);
  EXPECT_EQ(store.read(1, 1).target, (std::vector<std::int32_t>{0, 1, 3}));
  EXPECT_EQ(store.read_part(2, 1, 2).target, (std::vector<std::int32_t>{2, 0}));
  EXPECT_EQ(store.read_part(2, 1, 2).spread, (std::vector<float>{0.8F, 0.9F}));
  const auto scores = store.read_scores(1, 1);
  ASSERT_EQ(scores.size(), 5U);
  EXPECT_EQ(scores[0], 0.875F);
  EXPECT_TRUE(std::isnan(scores[2]));
}

TEST_F(EdgeStoreTest, SourcesMayComeInAnyPieces) {
  write_small_edges(path_);
  const auto whole = read_text(path_);
  EdgeStoreWriter writer(path_, small_edge_header());
  const EdgeRows all = small_edge_rows();
  for (std::size_t source = 0; source < 3; ++source) {
    const auto part = [&](const auto& values, std::size_t width) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(source * width);
      return std::decay_t<decltype(values)>(begin, begin + static_cast<std::ptrdiff_t>(width));
    };
    writer.append({part(all.target, 3), part(all.score, 3), part(all.spread, 3), part(all.false_discovery, 3),
                   part(all.matrix, 5)});
    writer.append({});
  }
  writer.finish("{\"seed\": 1, \"done\": true}");
  EXPECT_EQ(read_text(path_), whole);
}

TEST_F(EdgeStoreTest, HalfScoresAreTheNearestOnes) {
  auto header = small_edge_header();
  header.matrix = ScoreMatrix::Float16;
  EdgeStoreWriter writer(path_, header);
  EdgeRows rows = small_edge_rows(header);
  rows.matrix[1] = 0.1F;
  writer.append(rows);
  writer.finish("{}");
  const auto scores = EdgeStore(path_).read_scores(0, 3);
  EXPECT_TRUE(std::isnan(scores[0]));
  EXPECT_EQ(scores[1], 1638.0F / 16384.0F);  // 0.1 · 2^14 = 1638.4
  EXPECT_EQ(scores[14], 0.5F);
}

TEST_F(EdgeStoreTest, WithoutColumnsAndMatrix) {
  auto header = small_edge_header();
  header.spread = header.false_discovery = false;
  header.matrix = ScoreMatrix::None;
  write_small_edges(path_, header);
  const EdgeStore store(path_);
  EXPECT_FALSE(store.header().spread || store.header().false_discovery);
  EXPECT_TRUE(store.read(0, 3).spread.empty());
  expect_mentions(error_of(ErrorKind::Input, [&] { store.read_scores(0, 1); }), path_.string(), "--scores");
}

TEST_F(EdgeStoreTest, AppearsOnlyWhenWhole) {
  {
    EdgeStoreWriter writer(path_, small_edge_header());
    EXPECT_TRUE(std::filesystem::exists(folder_ / "edges.h5.partial"));
    expect_mentions(error_of(ErrorKind::Internal, [&] { writer.finish("{}"); }), "all sources");
    writer.append(small_edge_rows());
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(EdgeStoreTest, RowsThatDoNotFitAreRefused) {
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.score.pop_back(); }), "fit");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.spread.clear(); }), "fit");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.matrix.pop_back(); }), "fit");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.target[4] = 5; }), "TAL1", "unknown");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.target[4] = 2; }), "TAL1", "itself");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.target[4] = 0; }), "TAL1", "repeated");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.score[5] = 0.75F; }), "TAL1", "order");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.score[0] = NAN; }), "GATA1", "finite");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.matrix[3] = NAN; }), "GATA1", "self pair");
  expect_mentions(misuse_by([](EdgeRows& rows) { rows.matrix[0] = 0.5F; }), "GATA1", "self pair");
  EdgeStoreWriter writer(path_, small_edge_header());
  writer.append(small_edge_rows());
  expect_mentions(error_of(ErrorKind::Internal, [&] { writer.append(small_edge_rows()); }), "more sources");
}

TEST_F(EdgeStoreTest, HeadersThatMakeNoSenseAreRefused) {
  for (const auto change : {+[](EdgeStoreHeader& h) { h.sources.clear(); },
                            +[](EdgeStoreHeader& h) { h.sources[1] = h.sources[0]; },
                            +[](EdgeStoreHeader& h) { h.targets[1].clear(); },
                            +[](EdgeStoreHeader& h) { h.edges_per_source = 0; },
                            +[](EdgeStoreHeader& h) { h.edges_per_source = 5; }}) {
    auto header = small_edge_header();
    change(header);
    error_of(ErrorKind::Internal, [&] { EdgeStoreWriter writer(path_, header); });
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(EdgeStoreTest, RecognisesItsOwn) {
  write_small_edges(path_);
  EXPECT_TRUE(is_edge_store(path_));
  EXPECT_FALSE(is_edge_store(folder_ / "missing.h5"));
  const auto other = folder_ / "other.h5";
  H5File file = H5File::create(other);
  file.write("/X", std::vector<float>{1.0F});
  file.close();
  EXPECT_FALSE(is_edge_store(other));
  expect_mentions(error_of(ErrorKind::Input, [&] { EdgeStore store(other); }), "other.h5", "not an edge");
}

TEST_F(EdgeStoreTest, DamageIsNamed) {
  expect_mentions(after([](H5File& f) { f.write_attribute_int("/", "version", 2); }), "version 2");
  expect_mentions(after([](H5File& f) { f.write_attribute_int("/", "complete", 0); }), "unfinished");
  expect_mentions(after([](H5File& f) { f.write_attribute_string("/", "matrix", "int8"); }), "int8");
  expect_mentions(after([](H5File& f) { f.write_attribute_string("/", "format", "x"); }), "not an edge");
  expect_mentions(after([](H5File& f) {
                    const std::int32_t bad = 5;
                    f.write_block<std::int32_t>("/edges/target", {{1, 2}, {1, 1}}, {&bad, 1});
                  }),
                  "/edges/target", "edge 2 of source TAL1 is 5", "0 to 4");
  expect_mentions(after([](H5File& f) {
                    const float bad = 0.75F;
                    f.write_block<float>("/edges/score", {{2, 1}, {1, 1}}, {&bad, 1});
                  }),
                  "/edges/score", "edge 1 of source β-TF");
}

TEST_F(EdgeStoreTest, ATruncatedFileIsAnErrorAtEveryLength) {
  write_small_edges(path_);
  const std::string whole = read_text(path_);
  const auto cut = folder_ / "cut.h5";
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 61) {
    std::ofstream(cut, std::ios::binary) << whole.substr(0, length);
    expect_mentions(error_of(ErrorKind::Input, [&] { EdgeStore store(cut); }), "cut.h5");
  }
}

TEST_F(EdgeStoreTest, UnwritablePathsAndFullDisksAreStorageErrors) {
  const auto missing = folder_ / "no/such/edges.h5";
  expect_mentions(error_of(ErrorKind::Storage, [&] { EdgeStoreWriter writer(missing, small_edge_header()); }),
                  missing.string());
  auto header = small_edge_header();
  for (int target = 0; target < 4000; ++target) header.targets.push_back("T" + std::to_string(target));
  header.matrix = ScoreMatrix::None;
  {
    EdgeStoreWriter writer(path_, header);
    const test::FileSizeLimit limit(4096);
    const auto text = error_of(ErrorKind::Storage, [&] { writer.append(small_edge_rows(header)); });
    expect_mentions(text, path_.string(), "/edges/target", "File too large");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(EdgeStoreTest, H5pyReadsIt) {
  if (!test::has_h5py()) GTEST_SKIP() << "reason: /usr/bin/python3 has no h5py";
  auto header = small_edge_header();
  header.matrix = ScoreMatrix::Float16;
  write_small_edges(path_, header);
  EXPECT_EQ(test::run_python(folder_ / "check.py", R"(
import sys, json, h5py, numpy as np
f = h5py.File(sys.argv[1], "r")
assert f.attrs["format"] == "regulus edges" and f.attrs["version"] == 1 and f.attrs["complete"] == 1
assert json.loads(f.attrs["provenance"])["done"] and f.attrs["matrix"] == "float16"
assert list(f["genes/source"].asstr()[:]) == ["GATA1", "TAL1", "β-TF"] and len(f["genes/target"]) == 5
assert f["edges/target"].dtype == "<i4" and f["edges/target"][1].tolist() == [0, 1, 3]
assert f["edges/score"].dtype == "<f4" and f["edges/score"][:, 0].tolist() == [0.75, 0.875, 0.5]
assert np.array_equal(f["edges/spread"][2], np.float32([0.7, 0.8, 0.9]))
assert np.array_equal(f["edges/false_discovery"][0], np.float32([0.01, 0.02, 0.03]))
scores = f["scores"]
assert scores.dtype == np.float16 and scores[2].tolist() == [0.125, 0.0, 0.25, 0.0625, 0.5]
assert np.isnan(scores[0, 0]) and np.isnan(scores[:]).sum() == 2
)",
                             path_),
            0);
}

}  // namespace
}  // namespace regulus::storage
