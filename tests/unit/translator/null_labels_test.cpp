#include "regulus/translator/null_labels.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/xor_pairs.h"

namespace regulus::translator {
namespace {

std::int64_t positives(const std::vector<std::uint8_t>& labels, const std::vector<std::int64_t>& pairs) {
  return std::count_if(pairs.begin(), pairs.end(),
                       [&](std::int64_t pair) { return labels[static_cast<std::size_t>(pair)] == 1; });
}

TEST(NullLabels, KeepTheBalanceOfBothParts) {
  const PairTable table = test::xor_pairs(12, 30, 4);
  const TrainingSplit split = split_for_validation(table, 0.2, 1);
  ASSERT_FALSE(split.validation.empty());
  for (std::int64_t index = 0; index < 5; ++index) {
    const auto shuffled = null_labels(table.label, split, 7, index);
    ASSERT_EQ(shuffled.size(), table.label.size());
    EXPECT_EQ(positives(shuffled, split.train), positives(table.label, split.train));
    EXPECT_EQ(positives(shuffled, split.validation), positives(table.label, split.validation));
  }
}

/// Two independent balanced labels agree in half of the 360 pairs, with a standard deviation of 9.5.
TEST(NullLabels, SayNothingOfTheLabelsNorOfEachOther) {
  const PairTable table = test::xor_pairs(12, 30, 4);
  const TrainingSplit split = split_for_validation(table, 0.2, 1);
  std::vector<std::vector<std::uint8_t>> all{table.label};
  for (std::int64_t index = 0; index < 4; ++index) all.push_back(null_labels(table.label, split, 7, index));
  all.push_back(null_labels(table.label, split, 8, 0));
  for (std::size_t a = 0; a < all.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      int agreements = 0;
      for (std::size_t i = 0; i < all[a].size(); ++i) agreements += all[a][i] == all[b][i] ? 1 : 0;
      EXPECT_NEAR(agreements, 180, 45) << a << " and " << b;
    }
}

TEST(NullLabels, BelongToSeedAndIndex) {
  const PairTable table = test::xor_pairs(12, 30, 4);
  const TrainingSplit split = split_for_validation(table, 0.2, 1);
  EXPECT_EQ(null_labels(table.label, split, 7, 1), null_labels(table.label, split, 7, 1));
}

}  // namespace
}  // namespace regulus::translator
