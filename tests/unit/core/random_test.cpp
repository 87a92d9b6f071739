#include "regulus/core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace {

using regulus::RandomStream;

TEST(RandomStream, IsAFunctionOfSeedPurposeAndIndex) {
  RandomStream a(1, "x", 2);
  RandomStream b(1, "x", 2);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.next_u32(), b.next_u32());
  const auto first = RandomStream(1, "x", 2).next_u32();
  EXPECT_NE(first, RandomStream(2, "x", 2).next_u32());
  EXPECT_NE(first, RandomStream(1, "y", 2).next_u32());
  EXPECT_NE(first, RandomStream(1, "x", 3).next_u32());
}

/// Mean and variance of n draws, compared with theory at five standard errors of the mean.
template <typename Draw>
void expect_moments(Draw draw, double mean, double variance) {
  constexpr int n = 200000;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    sum += x;
    squares += (x - mean) * (x - mean);
  }
  EXPECT_NEAR(sum / n, mean, 5.0 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 0.05 * variance);
}

TEST(RandomStream, DistributionsHaveTheirMoments) {
  RandomStream random(11, "moments");
  expect_moments([&] { return random.uniform(); }, 0.5, 1.0 / 12.0);
  expect_moments([&] { return random.normal(); }, 0.0, 1.0);
  expect_moments([&] { return random.gamma(0.5); }, 0.5, 0.5);
  expect_moments([&] { return random.gamma(4.0); }, 4.0, 4.0);
  expect_moments([&] { return static_cast<double>(random.poisson(0.7)); }, 0.7, 0.7);
  expect_moments([&] { return static_cast<double>(random.poisson(75.0)); }, 75.0, 75.0);
  expect_moments([&] { return static_cast<double>(random.below(6)); }, 2.5, 35.0 / 12.0);
}

TEST(RandomStream, SampleIsDistinctAndPrefixesAgree) {
  const auto sample = RandomStream(5, "sample").sample(100, 40);
  EXPECT_EQ(std::set<std::int64_t>(sample.begin(), sample.end()).size(), 40U);
  const auto shorter = RandomStream(5, "sample").sample(100, 7);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), sample.begin()));
}

}  // namespace
