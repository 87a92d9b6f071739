#include "regulus/data/binning.h"

#include <gtest/gtest.h>

#include <cmath>

#include "regulus/core/error.h"

namespace regulus::data {
namespace {

using Values = std::vector<double>;
using Digits = std::vector<float>;

const double kNextToOne = 1.0 - 0x1p-53;

TEST(Binning, EdgesAreQuantilesOfTheEntriesThatAreNotZero) {
  EXPECT_EQ(bin_edges(Values{0, 8, 0, 4, 2}, 6), (Values{2, 3, 4, 6, 8}));
  EXPECT_EQ(bin_edges(Values{0, 7}, 4), (Values{7, 7, 7}));
  EXPECT_EQ(bin_edges(Values{3, 5}, 2), (Values{3}));
  EXPECT_TRUE(bin_edges(Values{0, 0}, 51).empty());
}

TEST(Binning, ValuesOnDistinctEdgesDoNotDependOnTheDraws) {
  Values values;
  Digits expected;
  for (int i = 50; i >= 0; --i) {
    values.push_back(0.25 * i);
    expected.push_back(static_cast<float>(i));
  }
  for (const double draw : {0.0, 0.3, kNextToOne})
    EXPECT_EQ(bin_values(values, 51, Values(50, draw)), expected) << draw;
}

TEST(Binning, ValuesBetweenEdgesCountTheEdgesBelow) {
  // Edges of 4 bins: 2, 5, 8.
  EXPECT_EQ(bin_values(Values{2, 3, 0, 5, 7, 8}, 4, Values(5, 0.5)), (Digits{1, 1, 0, 2, 2, 3}));
}

/// Equal values meet the edges 1 to 5 of 6: ceil(u · (0 - 5) + 5).
TEST(Binning, DrawsDecideAmongEqualEdges) {
  EXPECT_EQ(bin_values(Values{3, 0, 3, 3, 3}, 6, Values{0.0, 0.2, 0.5, kNextToOne}), (Digits{5, 0, 4, 3, 1}));
  EXPECT_EQ(bin_values(Values{3}, 51, Values{0.0}), (Digits{50}));
  EXPECT_EQ(bin_values(Values{3, 9}, 2, Values{0.9, 0.9}), (Digits{1, 1}));
}

TEST(Binning, CellsWithoutExpressionStayZero) {
  EXPECT_EQ(bin_values(Values{0, 0}, 51, Values{}), (Digits{0, 0}));
}

TEST(Binning, EveryDigitOfATieIsEquallyLikely) {
  std::vector<float> values(5000, 1.5F);
  RandomStream random(3, "test.binning");
  std::vector<int> counts(6, 0);
  for (const float digit : bin_values(values, 6, random)) ++counts.at(static_cast<std::size_t>(digit));
  EXPECT_EQ(counts[0], 0);
  const double deviation = std::sqrt(5000 * 0.2 * 0.8);
  for (int digit = 1; digit < 6; ++digit)
    EXPECT_NEAR(counts[static_cast<std::size_t>(digit)], 1000, 5 * deviation) << digit;
}

TEST(Binning, ACellDependsOnItsNumberAndTheSeedAlone) {
  const std::vector<float> cell = {0, 1, 1, 1, 0, 2, 2, 2, 2, 1, 1, 3};
  const auto binned = [&](std::uint64_t seed, std::int64_t number) {
    std::vector<float> values = cell;
    bin_cell(values, 51, seed, number);
    return values;
  };
  const auto expected = binned(1, 7);
  binned(1, 8);
  EXPECT_EQ(binned(1, 7), expected);
  EXPECT_NE(binned(1, 8), expected);
  EXPECT_NE(binned(2, 7), expected);
  RandomStream random(1, "data.binning", 7);
  EXPECT_EQ(bin_values(cell, 51, random), expected);
}

TEST(Binning, RefusesAnotherNumberOfDraws) {
  EXPECT_THROW(bin_values(Values{1, 2}, 51, Values{0.5}), Error);
  EXPECT_THROW(bin_values(Values{1, 0}, 51, Values{0.5, 0.5}), Error);
  EXPECT_THROW(bin_values(Values{1}, 1, Values{0.5}), Error);
}

}  // namespace
}  // namespace regulus::data
