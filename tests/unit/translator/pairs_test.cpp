#include "regulus/translator/pairs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "regulus/data/network.h"
#include "regulus/translator/edge_lookup.h"
#include "support/expect_error.h"

namespace regulus::translator {
namespace {

const std::vector<std::string> kSources{"A", "B", "C"};
const std::vector<std::string> kTargets{"A", "B", "g1", "g2", "g3"};

/// C has no edge; the edge to X lies outside the features.
data::Network network() {
  return {"toy", {{"A", "G1"}, {"A", "X"}, {"B", "A"}, {"B", "G2"}}};
}

std::set<std::string> names(const LabelledPairs& pairs, int label) {
  std::set<std::string> result;
  for (std::size_t i = 0; i < pairs.label.size(); ++i)
    if (pairs.label[i] == label)
      result.insert(kSources[static_cast<std::size_t>(pairs.source[i])] +
                    kTargets[static_cast<std::size_t>(pairs.target[i])]);
  return result;
}

CandidateOptions full() {
  return {.protocol = Protocol::Full};
}

/// `count` sources with 1, 2, 3 … targets out of 100.
struct Staircase {
  std::vector<std::string> sources, targets;
  data::Network network{"staircase", {}};

  explicit Staircase(int count) {
    for (int t = 0; t < 100; ++t) targets.push_back("T" + std::to_string(t));
    for (int s = 0; s < count; ++s) {
      sources.push_back("S" + std::to_string(s));
      for (int t = 0; t <= s; ++t)
        network.edges.push_back({sources.back(), targets[static_cast<std::size_t>(t)]});
    }
  }
  LabelledPairs pairs(const CandidateOptions& options) const {
    return candidate_pairs(sources, targets, network, options);
  }
};

TEST(CandidatePairs, FullHoldsEveryPairOfATestedSourceExceptSelfPairs) {
  const LabelledPairs pairs = candidate_pairs(kSources, kTargets, network(), full());
  EXPECT_EQ(names(pairs, 1), (std::set<std::string>{"Ag1", "BA", "Bg2"}));
  EXPECT_EQ(names(pairs, 0), (std::set<std::string>{"AB", "Ag2", "Ag3", "Bg1", "Bg3"}));
  EXPECT_EQ(pairs.positives(), 3);
}

TEST(CandidatePairs, UntestedSourcesJoinOnRequest) {
  CandidateOptions options = full();
  options.untested_sources = true;
  const LabelledPairs pairs = candidate_pairs(kSources, kTargets, network(), options);
  EXPECT_EQ(pairs.size(), 8 + 5);
  EXPECT_TRUE(names(pairs, 0).contains("Cg3"));
}

TEST(CandidatePairs, BothGenesMustPassTheFilter) {
  CandidateOptions options = full();
  options.genes = GeneFilter::only({"b", "G1", "G2"});
  const LabelledPairs pairs = candidate_pairs(kSources, kTargets, network(), options);
  EXPECT_EQ(names(pairs, 1), std::set<std::string>{"Bg2"});
  EXPECT_EQ(names(pairs, 0), std::set<std::string>{"Bg1"});
  options.genes = GeneFilter::all_but({"B", "g2"});
  EXPECT_EQ(names(candidate_pairs(kSources, kTargets, network(), options), 0), std::set<std::string>{"Ag3"});
}

TEST(CandidatePairs, NetworkWithoutCommonEdgeIsRefusedByName) {
  const data::Network other{"other", {{"A", "X"}, {"Y", "G1"}}};
  const std::string text =
      test::error_of(ErrorKind::Input, [&] { candidate_pairs(kSources, kTargets, other, full()); });
  test::expect_mentions(text, "other", "3 sources", "5 targets");
}

TEST(CandidatePairs, BalancedKeepsAllPositivesAndAsManyNegatives) {
  const Staircase stairs(10);
  const LabelledPairs pairs = stairs.pairs({.seed = 4});
  EXPECT_EQ(pairs.positives(), 55);
  EXPECT_EQ(pairs.size(), 110);
  std::set<std::pair<int, int>> distinct;
  for (std::size_t i = 0; i < pairs.label.size(); ++i) {
    distinct.insert({pairs.source[i], pairs.target[i]});
    EXPECT_EQ(pairs.label[i] == 1, pairs.target[i] <= pairs.source[i]);
  }
  EXPECT_EQ(distinct.size(), 110U);
}

TEST(CandidatePairs, PerSourceMatchesEachOutDegree) {
  const LabelledPairs pairs = Staircase(10).pairs({.negatives = Negatives::PerSource, .seed = 4});
  std::map<int, int> negatives;
  for (std::size_t i = 0; i < pairs.label.size(); ++i)
    if (pairs.label[i] == 0) ++negatives[pairs.source[i]];
  for (int source = 0; source < 10; ++source) EXPECT_EQ(negatives[source], source + 1);
}

TEST(CandidatePairs, NegativesDependOnTheSeedAlone) {
  const Staircase stairs(10);
  EXPECT_EQ(stairs.pairs({.seed = 4}).target, stairs.pairs({.seed = 4}).target);
  EXPECT_NE(stairs.pairs({.seed = 4}).target, stairs.pairs({.seed = 5}).target);
}

/// Each of the 945 negatives is drawn with probability 55 / 945, so the first half of them gets its binomial
/// share: 200 seeds x 55 draws, half of them expected there, standard deviation below sqrt(11000) / 2.
TEST(CandidatePairs, NegativesAreDrawnUniformly) {
  const Staircase stairs(10);
  double early = 0.0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const LabelledPairs pairs = stairs.pairs({.seed = seed});
    for (std::size_t i = 0; i < pairs.label.size(); ++i)
      if (pairs.label[i] == 0 && pairs.source[i] < 5) early += 1.0;
  }
  const double share = (500.0 - 15.0) / 945.0;  // negatives of the first five sources
  EXPECT_NEAR(early, 11000.0 * share, 5.0 * std::sqrt(11000.0 * share * (1.0 - share)));
}

TEST(CandidatePairs, TooFewNegativesAreAllTaken) {
  const std::vector<std::string> sources{"A"};
  const std::vector<std::string> targets{"T1", "T2", "T3"};
  const data::Network dense{"dense", {{"A", "T1"}, {"A", "T2"}}};
  for (const Negatives negatives : {Negatives::Uniform, Negatives::PerSource}) {
    const LabelledPairs pairs = candidate_pairs(sources, targets, dense, {.negatives = negatives});
    EXPECT_EQ(pairs.positives(), 2);
    EXPECT_EQ(pairs.size(), 3);
  }
}

TEST(Protocol, NamesRoundTripAndOthersAreRefused) {
  for (const auto* name : {"balanced", "full"}) EXPECT_EQ(to_string(parse_protocol(name)), name);
  for (const auto* name : {"uniform", "per-source"}) EXPECT_EQ(to_string(parse_negatives(name)), name);
  test::expect_mentions(test::error_of(ErrorKind::Options, [] { parse_protocol("half"); }), "half",
                        "--protocol");
  test::expect_mentions(test::error_of(ErrorKind::Options, [] { parse_negatives("x"); }), "--negatives");
}

TEST(EdgeLookup, KnowsGenesInEitherRole) {
  const EdgeLookup edges(network());
  EXPECT_TRUE(edges.contains("a", "g1"));
  EXPECT_FALSE(edges.contains("g1", "a"));
  EXPECT_TRUE(edges.has_source("b"));
  EXPECT_FALSE(edges.has_source("g1"));
  EXPECT_TRUE(edges.has_gene("g1"));
  EXPECT_FALSE(edges.has_gene("g3"));
}

}  // namespace
}  // namespace regulus::translator
