#include "regulus/evaluate/ranked_edges.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "regulus/core/error.h"
#include "support/temp_folder.h"

namespace regulus::evaluate {
namespace {

constexpr double kNotPredicted = -std::numeric_limits<double>::infinity();

class RankedEdgesFile : public ::testing::Test {
 protected:
  RankedEdges read(const std::string& text, const std::string& name = "rankedEdges.csv") {
    const auto file = folder_.path() / name;
    std::ofstream(file, std::ios::binary) << text;
    return read_ranked_edges(file);
  }

  std::string error_of(const std::string& text) {
    try {
      read(text);
    } catch (const InputError& error) {
      return error.message() + " @ " + std::filesystem::path(error.where()).filename().string();
    }
    return "no error";
  }

 private:
  test::TempFolder folder_;
};

TEST_F(RankedEdgesFile, BeelineIsTabSeparatedDespiteItsName) {
  const auto edges = read("Gene1\tGene2\tEdgeWeight\nA\tB\t0.5\nB\tC\t-2e-1\n");
  EXPECT_EQ(edges.name, "rankedEdges");
  EXPECT_EQ(edges.source, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(edges.weight, (std::vector<double>{0.5, -0.2}));
  EXPECT_EQ(edges.sources(), (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(edges.genes(), (std::vector<std::string>{"A", "B", "C"}));
}

TEST_F(RankedEdgesFile, PyscenicColumnsInAnyOrderAmongOthers) {
  const auto edges = read(",importance,target,TF\r\n0,3.5,B,A\r\n", "adjacencies.csv");
  EXPECT_EQ(edges.source.front(), "A");
  EXPECT_EQ(edges.target.front(), "B");
  EXPECT_EQ(edges.weight.front(), 3.5);
}

TEST_F(RankedEdgesFile, BadInputNamesTheLine) {
  EXPECT_EQ(error_of("A,B,1\n"), "the ranked edges have no column GENE1 or TF @ rankedEdges.csv, line 1");
  EXPECT_EQ(error_of("Gene1,Gene2\nA,B\n"),
            "the ranked edges have no column EDGEWEIGHT or IMPORTANCE @ rankedEdges.csv, line 1");
  EXPECT_EQ(error_of("Gene1,Gene2,EdgeWeight\nA,B,1\nA,C\n"),
            "the row has 2 fields, the header 3 @ rankedEdges.csv, line 3");
  EXPECT_EQ(error_of("Gene1,Gene2,EdgeWeight\nA,B,high\n"),
            "'high' is not a finite number @ rankedEdges.csv, line 2");
  EXPECT_EQ(error_of("Gene1,Gene2,EdgeWeight\nA,B,nan\n"),
            "'nan' is not a finite number @ rankedEdges.csv, line 2");
  EXPECT_EQ(error_of("Gene1,Gene2,EdgeWeight\nA,B,1x\n"),
            "'1x' is not a finite number @ rankedEdges.csv, line 2");
  EXPECT_EQ(error_of("Gene1,Gene2,EdgeWeight\nA,,1\n"), "the gene name is empty @ rankedEdges.csv, line 2");
  EXPECT_EQ(error_of("Gene1,Gene2,EdgeWeight\n"), "there is no edge below the header @ rankedEdges.csv");
}

TEST(EdgeScores, FindTheirPairsWhateverTheCase) {
  const RankedEdges edges{"tool", {"a", "A", "B", "X"}, {"B", "C", "c", "C"}, {-3.0, 2.0, 0.0, 9.0}};
  const translator::LabelledPairs pairs{{0, 0, 1, 1}, {0, 1, 1, 2}, {0, 0, 0, 0}};
  const std::vector<std::string> sources{"A", "B"};
  const std::vector<std::string> targets{"B", "C", "D"};
  EXPECT_EQ(edge_scores(edges, sources, targets, pairs, EdgeWeights::Absolute),
            (std::vector<double>{3.0, 2.0, kNotPredicted, kNotPredicted}));
  EXPECT_EQ(edge_scores(edges, sources, targets, pairs, EdgeWeights::Signed),
            (std::vector<double>{-3.0, 2.0, 0.0, kNotPredicted}));
}

TEST(EdgeScores, OfRepeatedEdgesTheHighestCounts) {
  const RankedEdges edges{"tool", {"A", "A"}, {"B", "B"}, {1.0, -4.0}};
  const translator::LabelledPairs pairs{{0}, {0}, {1}};
  EXPECT_EQ(edge_scores(edges, {"A"}, {"B"}, pairs, EdgeWeights::Absolute).front(), 4.0);
  EXPECT_EQ(edge_scores(edges, {"A"}, {"B"}, pairs, EdgeWeights::Signed).front(), 1.0);
}

TEST(EdgeScores, NothingInCommonIsAnError) {
  const RankedEdges edges{"tool", {"A"}, {"B"}, {1.0}};
  EXPECT_THROW(edge_scores(edges, {"X"}, {"Y"}, {{0}, {0}, {1}}, EdgeWeights::Absolute), InputError);
  EXPECT_THROW(parse_edge_weights("both"), OptionError);
}

}  // namespace
}  // namespace regulus::evaluate
