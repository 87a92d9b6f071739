#include "regulus/evaluate/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::evaluate {
namespace {

using Labels = std::vector<std::uint8_t>;
constexpr double kNotPredicted = -std::numeric_limits<double>::infinity();

// Seven pairs with two ties; the values follow from the definitions by hand.
const std::vector<double> kScore{0.9, 0.8, 0.8, 0.7, 0.4, 0.4, 0.1};
const Labels kLabel{1, 0, 1, 1, 0, 1, 0};

TEST(Metrics, TiesAreOneThresholdInAveragePrecision) {
  EXPECT_NEAR(average_precision(kScore, kLabel), (1.0 + 2.0 / 3.0 + 3.0 / 4.0 + 4.0 / 6.0) / 4.0, 1e-15);
}

TEST(Metrics, TiesCountHalfInAuroc) {
  EXPECT_NEAR(auroc(kScore, kLabel), (3.0 + 2.5 + 2.0 + 1.5) / 12.0, 1e-15);
}

TEST(Metrics, EarlyPrecisionLooksAtTheTopK) {
  // k = 4 positives: the fourth score is 0.7, reached by 4 pairs of which 3 are edges.
  EXPECT_NEAR(early_precision_ratio(kScore, kLabel), (3.0 / 4.0) / (4.0 / 7.0), 1e-15);
}

TEST(Metrics, EarlyPrecisionIncludesTiesWithTheKthScore) {
  // k = 2: the second score is 2, reached by 4 pairs of which 2 are edges.
  const std::vector<double> score{3, 2, 2, 2, 1, 0};
  EXPECT_NEAR(early_precision_ratio(score, Labels{1, 0, 1, 0, 0, 0}), (2.0 / 4.0) / (2.0 / 6.0), 1e-15);
}

TEST(Metrics, PairsNotPredictedAreNeverEarlyButRankLast) {
  const std::vector<double> score{2, kNotPredicted, kNotPredicted, kNotPredicted};
  EXPECT_EQ(early_precision_ratio(score, Labels{0, 1, 1, 0}), 0.0);
  EXPECT_EQ(early_precision_ratio(score, Labels{1, 1, 0, 0}), 2.0);
  EXPECT_NEAR(average_precision(score, Labels{1, 1, 0, 0}), 0.5 * 1.0 + 0.5 * 0.5, 1e-15);
  EXPECT_NEAR(auroc(score, Labels{1, 1, 0, 0}), (2.0 + 0.5 * 2.0) / 4.0, 1e-15);
}

TEST(Metrics, PerfectWorstAndConstantOrders) {
  const Labels label{1, 1, 0, 0, 0, 0, 0, 0};
  const Scores perfect = Ranking(std::vector<double>{8, 7, 6, 5, 4, 3, 2, 1}, label).scores();
  EXPECT_EQ(perfect.auprc, 1.0);
  EXPECT_EQ(perfect.auprc_ratio, 4.0);
  EXPECT_EQ(perfect.auroc, 1.0);
  EXPECT_EQ(perfect.epr, 4.0);
  const Scores worst = Ranking(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}, label).scores();
  EXPECT_NEAR(worst.auprc, (1.0 / 7.0 + 2.0 / 8.0) / 2.0, 1e-15);
  EXPECT_EQ(worst.auroc, 0.0);
  EXPECT_EQ(worst.epr, 0.0);
  const Scores constant = Ranking(std::vector<double>(8, 0.3), label).scores();
  EXPECT_EQ(constant.auprc, 0.25);
  EXPECT_EQ(constant.auroc, 0.5);
  EXPECT_EQ(constant.epr, 1.0);
}

TEST(Metrics, DoNotDependOnTheOrderOfThePairs) {
  RandomStream random(1, "test.metrics");
  const auto order = random.permutation(7);
  std::vector<double> score;
  Labels label;
  for (const auto i : order) {
    score.push_back(kScore[static_cast<std::size_t>(i)]);
    label.push_back(kLabel[static_cast<std::size_t>(i)]);
  }
  EXPECT_EQ(average_precision(score, label), average_precision(kScore, kLabel));
  EXPECT_EQ(auroc(score, label), auroc(kScore, kLabel));
}

TEST(Metrics, AWeightIsAsManyCopiesOfThePair) {
  RandomStream random(5, "test.metrics");
  std::vector<double> score, copied_score;
  Labels label, copied_label;
  std::vector<std::uint8_t> weight;
  for (int pair = 0; pair < 60; ++pair) {
    score.push_back(static_cast<double>(random.below(12)));
    label.push_back(pair % 3 == 0 ? 1 : 0);
    weight.push_back(static_cast<std::uint8_t>(random.below(4)));
    copied_score.insert(copied_score.end(), weight.back(), score.back());
    copied_label.insert(copied_label.end(), weight.back(), label.back());
  }
  const Scores weighted = Ranking(score, label).scores(weight);
  const Scores copied = Ranking(copied_score, copied_label).scores();
  EXPECT_NEAR(weighted.auprc, copied.auprc, 1e-14);
  EXPECT_NEAR(weighted.auprc_ratio, copied.auprc_ratio, 1e-13);
  EXPECT_NEAR(weighted.auroc, copied.auroc, 1e-14);
  EXPECT_NEAR(weighted.epr, copied.epr, 1e-14);
}

TEST(Metrics, CurveHasOnePointPerThreshold) {
  const auto curve = Ranking(kScore, kLabel).curve();
  ASSERT_EQ(curve.size(), 5U);
  EXPECT_EQ(curve[1].threshold, 0.8);
  EXPECT_EQ(curve[1].recall, 0.5);
  EXPECT_NEAR(curve[1].precision, 2.0 / 3.0, 1e-15);
  EXPECT_NEAR(curve[1].false_positive_rate, 1.0 / 3.0, 1e-15);
  EXPECT_EQ(curve.back().recall, 1.0);
  EXPECT_EQ(curve.back().false_positive_rate, 1.0);
}

TEST(Metrics, AThinCurveKeepsEndsAndOrder) {
  std::vector<double> score;
  Labels label;
  for (int pair = 0; pair < 1000; ++pair) {
    score.push_back(-pair);
    label.push_back(pair % 4 == 0 ? 1 : 0);
  }
  const auto curve = Ranking(score, label).curve();
  const auto thin = thin_curve(curve, 20);
  EXPECT_LE(thin.size(), 20U);
  EXPECT_GE(thin.size(), 15U);
  EXPECT_EQ(thin.front().threshold, curve.front().threshold);
  EXPECT_EQ(thin.back().threshold, curve.back().threshold);
  for (std::size_t i = 1; i < thin.size(); ++i) EXPECT_GE(thin[i].recall, thin[i - 1].recall);
}

TEST(Metrics, DegenerateInputIsRefusedByName) {
  const auto message = [](const std::vector<double>& score, const Labels& label) {
    try {
      const Ranking ranking(score, label, "mDC × STRING");
    } catch (const InputError& error) {
      return error.message() + " @ " + error.where();
    }
    return std::string("no error");
  };
  EXPECT_EQ(message({1, 2}, {0, 0}),
            "none of the 2 candidate pairs is an edge of the network @ mDC × STRING");
  EXPECT_EQ(message({1, 2}, {1, 1}), "all 2 candidate pairs are edges of the network @ mDC × STRING");
  EXPECT_EQ(message({1, std::nan("")}, {0, 1}), "a score is not a number (NaN) @ mDC × STRING");
  EXPECT_EQ(message({1}, {0, 1}), "there are 1 scores for 2 labelled pairs @ mDC × STRING");
  EXPECT_EQ(message({}, {}), "none of the 0 candidate pairs is an edge of the network @ mDC × STRING");
}

}  // namespace
}  // namespace regulus::evaluate
