#include "regulus/report/edge_export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

#include "regulus/core/random.h"
#include "regulus/data/expression.h"
#include "regulus/data/h5ad.h"
#include "regulus/evaluate/ranked_edges.h"
#include "regulus/storage/text_file.h"
#include "report/edge_merge.h"
#include "support/expect_error.h"
#include "support/file_size_limit.h"
#include "support/small_edges.h"
#include "support/temp_folder.h"

namespace regulus::report {
namespace {

using storage::EdgeStore;
using test::error_of;
using test::expect_mentions;

class EdgeExportTest : public ::testing::Test {
 protected:
  const test::TempFolder folder_;
  const std::filesystem::path edges_ = folder_ / "edges.h5";

  std::string exported(const std::string& name, ExportOptions options = {}) const {
    options.file = folder_ / name;
    export_edges(EdgeStore(edges_), options);
    return storage::read_text(options.file);
  }
};

struct Listed {
  float score;
  std::size_t source;
  std::int32_t target;
};

/// A file of many ties: scores are multiples of 1/8. Rows as infer may write them: ties in any order.
std::vector<Listed> write_many(const std::filesystem::path& path, std::size_t sources, std::int32_t targets) {
  storage::EdgeStoreHeader header;
  for (std::size_t s = 0; s < sources; ++s) header.sources.push_back("S" + std::to_string(s));
  for (std::int32_t t = 0; t < targets; ++t) header.targets.push_back("T" + std::to_string(t));
  header.edges_per_source = targets - 1;
  RandomStream random(7, "edge export test", 0);
  storage::EdgeStoreWriter writer(path, header);
  std::vector<Listed> all;
  for (std::size_t s = 0; s < sources; ++s) {
    std::vector<Listed> row;
    for (std::int32_t t = 0; t < targets - 1; ++t)
      row.push_back({static_cast<float>(random.below(8)) / 8.0F, s, targets - 1 - t});
    std::stable_sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    storage::EdgeRows rows;
    for (const Listed& edge : row) {
      rows.target.push_back(edge.target);
      rows.score.push_back(edge.score);
    }
    writer.append(rows);
    all.insert(all.end(), row.begin(), row.end());
  }
  writer.finish("{}");
  return all;
}

bool before(const Listed& a, const Listed& b) {
  return std::tuple(-a.score, a.source, a.target) < std::tuple(-b.score, b.source, b.target);
}

std::string ranked_text(const std::vector<Listed>& edges) {
  std::string text = "Gene1\tGene2\tEdgeWeight\n";
  for (const auto& edge : edges) {
    std::ostringstream line;
    line << "S" << edge.source << "\tT" << edge.target << "\t" << edge.score << "\n";
    text += line.str();
  }
  return text;
}

TEST_F(EdgeExportTest, AdjacenciesHaveEveryColumnInGlobalOrder) {
  test::write_small_edges(edges_);
  EXPECT_EQ(exported("a.tsv"),
            "TF\ttarget\timportance\tspread\tfalse_discovery\n"
            "TAL1\tGATA1\t0.875\t0.4\t0.04\n"
            "GATA1\tKLF1\t0.75\t0.1\t0.01\n"
            "GATA1\tHBB\t0.5\t0.2\t0.02\n"
            "TAL1\tKLF1\t0.5\t0.5\t0.05\n"
            "TAL1\tHBB\t0.5\t0.6\t0.06\n"
            "β-TF\tEPOR\t0.5\t0.7\t0.07\n"
            "GATA1\tEPOR\t0.25\t0.3\t0.03\n"
            "β-TF\tTAL1\t0.25\t0.8\t0.08\n"
            "β-TF\tGATA1\t0.125\t0.9\t0.09\n");
}

TEST_F(EdgeExportTest, TopAndThresholdApplyToEverySource) {
  test::write_small_edges(edges_);
  ExportOptions options;
  options.top_k = 2;
  options.threshold = 0.5F;
  EXPECT_EQ(exported("ranked.csv", options),
            "Gene1\tGene2\tEdgeWeight\nTAL1\tGATA1\t0.875\nGATA1\tKLF1\t0.75\nGATA1\tHBB\t0.5\n"
            "TAL1\tKLF1\t0.5\nβ-TF\tEPOR\t0.5\n");
  options.threshold = 0.9F;
  EXPECT_EQ(exported("none.csv", options), "Gene1\tGene2\tEdgeWeight\n");
}

TEST_F(EdgeExportTest, TheOrderIsThatOfASortOfAll) {
  auto all = write_many(edges_, 23, 41);
  std::sort(all.begin(), all.end(), before);
  EXPECT_EQ(exported("all.csv"), ranked_text(all));
}

TEST_F(EdgeExportTest, OfEqualEdgesTheFirstTargetsAreTheBest) {
  auto all = write_many(edges_, 23, 41);
  std::sort(all.begin(), all.end(), before);
  std::vector<int> taken(23, 0);
  std::erase_if(all, [&](const Listed& edge) { return ++taken[edge.source] > 7; });
  ExportOptions options;
  options.top_k = 7;
  EXPECT_EQ(exported("best.csv", options), ranked_text(all));
}

TEST_F(EdgeExportTest, OurOwnReaderTakesBothTexts) {
  test::write_small_edges(edges_);
  for (const char* name : {"a.tsv", "a.csv"}) {
    exported(name);
    const auto edges = evaluate::read_ranked_edges(folder_ / name);
    ASSERT_EQ(edges.weight.size(), 9U);
    EXPECT_EQ(edges.source[0], "TAL1");
    EXPECT_EQ(edges.target[8], "GATA1");
    EXPECT_EQ(edges.weight[8], 0.125);
  }
}

TEST_F(EdgeExportTest, NamesWithSeparatorsAreQuoted) {
  auto header = test::small_edge_header();
  header.targets[1] = "K\tLF1";
  test::write_small_edges(edges_, header);
  exported("a.csv");
  EXPECT_EQ(evaluate::read_ranked_edges(folder_ / "a.csv").target[1], "K\tLF1");
}

TEST_F(EdgeExportTest, TheNameOrTheOptionDecides) {
  test::write_small_edges(edges_);
  ExportOptions options;
  options.file = "x.txt";
  expect_mentions(error_of(ErrorKind::Options, [&] { resolve_format(options); }), "x.txt", "--format");
  options.format = parse_edge_format("ranked-edges");
  EXPECT_EQ(exported("x.txt", options).substr(0, 5), "Gene1");
  options.expression = "cells.h5ad";
  expect_mentions(error_of(ErrorKind::Options, [&] { resolve_format(options); }), "--expression");
  error_of(ErrorKind::Options, [] { parse_edge_format("graphml"); });
}

TEST_F(EdgeExportTest, ExpressionMustHaveTheGenes) {
  test::write_small_edges(edges_);
  const auto cells = folder_ / "cells.h5ad";
  data::write_h5ad(cells, data::from_dense({"c"}, {"GATA1", "KLF1"}, {0.5F, 1.5F}), {});
  ExportOptions options;
  options.expression = cells;
  const auto text = error_of(ErrorKind::Input, [&] { exported("x.h5ad", options); });
  expect_mentions(text, cells.string(), "4 genes", "TAL1");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.h5ad"));
}

TEST_F(EdgeExportTest, FailedWritesLeaveNothing) {
  write_many(edges_, 23, 241);
  for (const char* name : {"a.tsv", "a.csv"}) {
    {
      const test::FileSizeLimit limit(8192);
      const auto text = error_of(ErrorKind::Storage, [&] { exported(name); });
      expect_mentions(text, name, "File too large");
    }
    EXPECT_FALSE(std::filesystem::exists(folder_ / name));
    EXPECT_FALSE(std::filesystem::exists(folder_ / (std::string(name) + ".partial")));
  }
  for (const char* name : {"no/such/a.tsv", "no/such/a.h5ad"})
    expect_mentions(error_of(ErrorKind::Storage, [&] { exported(name); }), name);
}

/// Sixteen edges of a source are in memory at once: rows and their ties go on over several pieces.
TEST_F(EdgeExportTest, SmallPiecesGiveTheSameOrder) {
  auto all = write_many(edges_, 23, 241);
  std::sort(all.begin(), all.end(), before);
  const EdgeStore store(edges_);
  EdgeMerge merge(store, {1000, -1.0F}, 23);
  std::size_t next = 0;
  for (Edge edge; merge.next(edge); ++next) {
    ASSERT_LT(next, all.size());
    ASSERT_EQ(static_cast<std::size_t>(edge.source), all[next].source) << next;
    ASSERT_EQ(edge.target, all[next].target) << next;
    ASSERT_EQ(edge.score, all[next].score) << next;
  }
  EXPECT_EQ(next, all.size());
}

TEST_F(EdgeExportTest, DisorderAcrossPiecesIsDamage) {
  write_many(edges_, 1, 241);
  auto file = storage::H5File::open_update(edges_);
  file.write_block<float>("/edges/score", {{0, 16}, {1, 224}}, std::vector<float>(224, 2.0F));
  file.close();
  const EdgeStore store(edges_);
  EdgeMerge merge(store, {1000, -1.0F}, 1);
  const auto text = error_of(ErrorKind::Input, [&] {
    for (Edge edge; merge.next(edge);) {
    }
  });
  expect_mentions(text, "S0", "descending");
}

}  // namespace
}  // namespace regulus::report
