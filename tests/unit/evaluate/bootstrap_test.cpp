#include "regulus/evaluate/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::evaluate {
namespace {

struct Sample {
  std::vector<double> score;
  std::vector<std::uint8_t> label;
};

/// Positives from N(1, 1), negatives from N(0, 1).
Sample normal_sample(std::uint64_t seed, int positives, int negatives) {
  RandomStream random(seed, "test.bootstrap");
  Sample sample;
  for (int pair = 0; pair < positives + negatives; ++pair) {
    sample.label.push_back(pair < positives ? 1 : 0);
    sample.score.push_back(random.normal() + (pair < positives ? 1.0 : 0.0));
  }
  return sample;
}

ScoreIntervals intervals_of(const Sample& sample, const BootstrapOptions& options) {
  const comm::Communicator world = comm::Communicator::world();
  const std::vector<Ranking> methods{Ranking(sample.score, sample.label)};
  return bootstrap(world, methods, sample.label, options).front();
}

TEST(Bootstrap, QuantilesInterpolateLinearly) {
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.0), 1.0);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 1.0), 4.0);
  EXPECT_NEAR(quantile({10, 20, 30}, 0.025), 10.5, 1e-12);
  EXPECT_EQ(quantile({7}, 0.975), 7.0);
}

TEST(Bootstrap, CoversTheTrueAurocAsOftenAsItClaims) {
  const double truth = 0.5 * std::erfc(-0.5);  // P(N(1,1) > N(0,1)) = Phi(1 / sqrt 2)
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Interval auroc =
        intervals_of(normal_sample(seed, 60, 140), {.replicates = 200, .seed = seed}).auroc;
    covered += auroc.low <= truth && truth <= auroc.high ? 1 : 0;
  }
  // 95 % of 200 is 190; three standard deviations of a binomial are 9, and percentile intervals are slightly
  // narrow.
  EXPECT_GE(covered, 178);
  EXPECT_LE(covered, 199);
}

TEST(Bootstrap, WidthMatchesTheKnownStandardErrorOfAuroc) {
  // Scores equal to the labels but for ties: AUROC = (1 + p - q) / 2 with p, q the shares of ones in each
  // class, so its bootstrap variance is (p(1-p)/P + q(1-q)/N) / 4.
  Sample sample;
  for (int pair = 0; pair < 1000; ++pair) {
    sample.label.push_back(pair < 400 ? 1 : 0);
    sample.score.push_back(pair < 240 || (pair >= 400 && pair < 580) ? 1.0 : 0.0);
  }
  const double p = 0.6;
  const double q = 0.3;
  const double sigma = 0.5 * std::sqrt(p * (1 - p) / 400 + q * (1 - q) / 600);
  const Interval auroc = intervals_of(sample, {.replicates = 4000, .seed = 3}).auroc;
  EXPECT_NEAR(auroc.low, (1 + p - q) / 2 - 1.95996 * sigma, 0.12 * sigma);
  EXPECT_NEAR(auroc.high, (1 + p - q) / 2 + 1.95996 * sigma, 0.12 * sigma);
}

TEST(Bootstrap, IsReproducibleAndDependsOnTheSeed) {
  const Sample sample = normal_sample(1, 50, 50);
  const auto first = intervals_of(sample, {.replicates = 100, .seed = 4});
  const auto again = intervals_of(sample, {.replicates = 100, .seed = 4});
  const auto other = intervals_of(sample, {.replicates = 100, .seed = 5});
  EXPECT_EQ(first.auprc.low, again.auprc.low);
  EXPECT_EQ(first.epr.high, again.epr.high);
  EXPECT_NE(first.auprc.low, other.auprc.low);
}

TEST(Bootstrap, ReplicatesKeepTheDensity) {
  const Sample sample = normal_sample(2, 30, 90);
  const auto intervals = intervals_of(sample, {.replicates = 50, .seed = 1});
  EXPECT_NEAR(intervals.auprc_ratio.low, intervals.auprc.low * 4.0, 1e-12);
  EXPECT_NEAR(intervals.auprc_ratio.high, intervals.auprc.high * 4.0, 1e-12);
}

TEST(Bootstrap, MethodsShareTheirReplicates) {
  const Sample sample = normal_sample(3, 40, 60);
  std::vector<double> shifted = sample.score;
  for (double& score : shifted) score = 3.0 * score + 1.0;
  const std::vector<Ranking> methods{Ranking(sample.score, sample.label), Ranking(shifted, sample.label)};
  const auto both =
      bootstrap(comm::Communicator::world(), methods, sample.label, {.replicates = 40, .seed = 1});
  EXPECT_EQ(both[0].auprc.low, both[1].auprc.low);
  EXPECT_EQ(both[0].auroc.high, both[1].auroc.high);
}

TEST(Bootstrap, NoReplicatesNoInterval) {
  const auto intervals = intervals_of(normal_sample(3, 10, 10), {.replicates = 0});
  EXPECT_TRUE(std::isnan(intervals.auprc.low));
  EXPECT_TRUE(std::isnan(intervals.epr.high));
}

TEST(Bootstrap, RefusesNegativeReplicates) {
  EXPECT_THROW(intervals_of(normal_sample(3, 10, 10), {.replicates = -1}), OptionError);
  EXPECT_THROW(intervals_of(normal_sample(3, 10, 10), {.replicates = 10, .level = 1.0}), OptionError);
}

}  // namespace
}  // namespace regulus::evaluate
