#include "regulus/translator/validation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/xor_pairs.h"

namespace regulus::translator {
namespace {

std::set<std::string> genes_of(const PairTable& table, const std::vector<std::int64_t>& pairs) {
  std::set<std::string> genes;
  for (const std::int64_t pair : pairs) {
    const auto i = static_cast<std::size_t>(pair);
    genes.insert(table.sources[static_cast<std::size_t>(table.source[i])]);
    genes.insert(table.targets[static_cast<std::size_t>(table.target[i])]);
  }
  return genes;
}

TEST(Validation, EveryValidationPairHasAGeneThatIsNotTrainedOn) {
  const PairTable table = test::xor_pairs(10, 40, 1);
  const TrainingSplit split = split_for_validation(table, 0.2, 3);
  EXPECT_EQ(split.train.size() + split.validation.size(), 400U);
  EXPECT_EQ(split.train.size(), 8U * 32U);  // four fifths of the sources and of the other genes
  const std::set<std::string> trained = genes_of(table, split.train);
  for (const std::int64_t pair : split.validation) {
    const std::set<std::string> genes = genes_of(table, {pair});
    EXPECT_FALSE(std::includes(trained.begin(), trained.end(), genes.begin(), genes.end()));
  }
}

TEST(Validation, DependsOnTheSeed) {
  const PairTable table = test::xor_pairs(10, 40, 1);
  EXPECT_EQ(split_for_validation(table, 0.2, 3).validation, split_for_validation(table, 0.2, 3).validation);
  EXPECT_NE(split_for_validation(table, 0.2, 3).validation, split_for_validation(table, 0.2, 4).validation);
}

TEST(Validation, IsLeftOutForFractionZeroAndTinyTables) {
  EXPECT_TRUE(split_for_validation(test::xor_pairs(10, 40, 1), 0.0, 3).validation.empty());
  EXPECT_TRUE(split_for_validation(test::xor_pairs(1, 40, 1), 0.2, 3).validation.empty());
  PairTable single_class = test::xor_pairs(10, 40, 1);
  std::fill(single_class.label.begin() + 1, single_class.label.end(), std::uint8_t{0});
  single_class.label[0] = 1;
  const TrainingSplit split = split_for_validation(single_class, 0.2, 3);
  EXPECT_TRUE(split.validation.empty());
  EXPECT_EQ(split.train.size(), 400U);
}

}  // namespace
}  // namespace regulus::translator
