#include "regulus/translator/standardiser.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

#include "support/expect_error.h"

namespace regulus::translator {
namespace {

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// 0 … n-1 has mean (n - 1) / 2 and variance (n² - 1) / 12.
TEST(Standardiser, MatchesTheClosedFormOfEquallySpacedValues) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.insert(values.end(), {static_cast<float>(i), 3.5F});
  const Standardiser fitted = Standardiser::fit(values, 2, all_rows(1000), Transform::None);
  EXPECT_DOUBLE_EQ(fitted.mean[0], 499.5);
  EXPECT_NEAR(fitted.std[0], std::sqrt((1000.0 * 1000.0 - 1.0) / 12.0), 1e-9);
  EXPECT_EQ(fitted.mean[1], 3.5);
  EXPECT_EQ(fitted.std[1], 1.0) << "a constant column must not be blown up";
  EXPECT_EQ(fitted.width(), 2);
}

/// The mean of 1,001 times asinh(1) is off by rounding, so the spread is not exactly 0.
TEST(Standardiser, ConstantColumnsOfUnevenDecimalsAreConstant) {
  const std::vector<float> values(1001, 0.1F);
  EXPECT_EQ(Standardiser::fit(values, 1, all_rows(1001), Transform::Asinh).std[0], 1.0);
  EXPECT_EQ(Standardiser::fit(std::vector<float>(10, 0.0F), 1, all_rows(10), Transform::Asinh).std[0], 1.0);
}

TEST(Standardiser, FitsOnTheGivenRowsOnly) {
  const std::vector<float> values{1.0F, 1000.0F, 3.0F};
  const std::vector<std::int64_t> rows{0, 2};
  const Standardiser fitted = Standardiser::fit(values, 1, rows, Transform::None);
  EXPECT_DOUBLE_EQ(fitted.mean[0], 2.0);
  EXPECT_DOUBLE_EQ(fitted.std[0], 1.0);
  float out = 0.0F;
  fitted.apply(&values[1], &out);
  EXPECT_FLOAT_EQ(out, 998.0F);
}

TEST(Standardiser, AsinhScalesByTheMedianMagnitude) {
  const std::vector<float> values{-2.0F, 0.5F, 8.0F};
  const Standardiser fitted = Standardiser::fit(values, 1, all_rows(3), Transform::Asinh);
  EXPECT_EQ(fitted.scale[0], 2.0);
  const std::array<double, 3> transformed{std::asinh(-1.0), std::asinh(0.25), std::asinh(4.0)};
  EXPECT_NEAR(fitted.mean[0], (transformed[0] + transformed[1] + transformed[2]) / 3.0, 1e-15);
  float out = 0.0F;
  fitted.apply(&values[2], &out);
  EXPECT_NEAR(out, (transformed[2] - fitted.mean[0]) / fitted.std[0], 1e-6);
}

TEST(Standardiser, MostlyZeroColumnsScaleByTheirMeanMagnitude) {
  const std::vector<float> values{0.0F, 0.0F, 0.0F, 8.0F};
  EXPECT_EQ(Standardiser::fit(values, 1, all_rows(4), Transform::Asinh).scale[0], 2.0);
}

TEST(Standardiser, TransformedFeaturesDoNotDependOnTheUnit) {
  std::vector<float> values, thousandfold;
  for (int i = 0; i < 50; ++i) {
    values.push_back(std::ldexp(std::sin(static_cast<float>(i)), i % 7));
    thousandfold.push_back(values.back() * 1024.0F);
  }
  const Standardiser a = Standardiser::fit(values, 1, all_rows(50), Transform::Asinh);
  const Standardiser b = Standardiser::fit(thousandfold, 1, all_rows(50), Transform::Asinh);
  for (std::size_t i = 0; i < values.size(); ++i) {
    float x = 0.0F;
    float y = 0.0F;
    a.apply(&values[i], &x);
    b.apply(&thousandfold[i], &y);
    EXPECT_EQ(x, y);
  }
}

TEST(Standardiser, UnknownTransformIsAnOptionError) {
  test::expect_mentions(test::error_of(ErrorKind::Options, [] { parse_transform("log"); }), "log",
                        "--transform");
}

}  // namespace
}  // namespace regulus::translator
