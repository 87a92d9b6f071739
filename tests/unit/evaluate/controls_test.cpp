#include "regulus/evaluate/controls.h"

#include <gtest/gtest.h>

#include <cmath>

namespace regulus::evaluate {
namespace {

using translator::LabelledPairs;

const std::vector<std::string> kSources{"TF1", "TF2", "TF3"};
const std::vector<std::string> kTargets{"TF1", "G1", "G2", "g3"};

TEST(DegreeControl, CountsTrainingPositivesOfSourceAndTarget) {
  const data::Network first{"first", {{"TF1", "G1"}, {"TF1", "G2"}, {"TF2", "G1"}, {"TF2", "unseen"}}};
  const data::Network second{"second", {{"TF1", "G1"}}};
  const DegreeControl control({first, second}, {"tf1", "TF2", "G1", "G2", "G3"});
  // TF1 x G1: TF1 has 3 positives, G1 has 3; TF2 x G2: 1 and 1, since the edge to the unseen gene was not
  // trained on.
  const auto scores =
      control.scores(kSources, kTargets, LabelledPairs{{0, 1, 2, 1}, {1, 2, 3, 3}, {1, 0, 0, 0}});
  EXPECT_NEAR(scores[0], 2.0 * std::log(4.0), 1e-15);
  EXPECT_NEAR(scores[1], 2.0 * std::log(2.0), 1e-15);
  EXPECT_EQ(scores[2], 0.0);
  EXPECT_NEAR(scores[3], std::log(2.0), 1e-15);
}

TEST(DegreeControl, UnseenGenesScoreZero) {
  const DegreeControl control({{"net", {{"TF1", "G1"}}}}, {"TF1", "G1"});
  for (const double score : control.scores(kSources, kTargets, LabelledPairs{{1, 2}, {2, 3}, {1, 0}}))
    EXPECT_EQ(score, 0.0);
}

TEST(Overlap, CountsGenesAndPairsSeenInTraining) {
  const LabelledPairs pairs{{0, 0, 1}, {1, 2, 3}, {1, 0, 1}};
  const Overlap shared = overlap(kSources, kTargets, pairs, {"TF1", "G1", "G3", "elsewhere"});
  EXPECT_EQ(shared.genes, 5);  // TF1, TF2, G1, G2, g3; TF3 is in no pair
  EXPECT_EQ(shared.genes_seen, 3);
  EXPECT_EQ(shared.pairs, 3);
  EXPECT_EQ(shared.pairs_both_seen, 1);
  EXPECT_EQ(shared.pairs_one_seen, 2);
}

TEST(Overlap, AGeneInBothRolesIsOneGene) {
  const Overlap shared = overlap(kSources, kTargets, LabelledPairs{{0, 1}, {1, 0}, {1, 0}}, {});
  EXPECT_EQ(shared.genes, 3);
  EXPECT_EQ(shared.genes_seen, 0);
}

}  // namespace
}  // namespace regulus::evaluate
