#include "regulus/data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "support/expect_error.h"

namespace regulus::data {
namespace {

using Names = std::vector<std::string>;

Names numbered(const std::string& prefix, int count) {
  Names names;
  for (int i = 0; i < count; ++i) names.push_back(prefix + std::to_string(i));
  return names;
}

std::ptrdiff_t count_prefix(const Names& names, char prefix) {
  return std::count_if(names.begin(), names.end(),
                       [&](const std::string& name) { return name[0] == prefix; });
}

/// 20 factors T*, 100 genes that include half of the factors.
GeneSplit example(std::uint64_t seed) {
  Names genes = numbered("G", 90);
  const Names some_factors = numbered("T", 10);
  genes.insert(genes.end(), some_factors.begin(), some_factors.end());
  return split_genes(numbered("T", 20), genes, 0.3, seed);
}

TEST(Split, IsDisjointAndComplete) {
  const GeneSplit split = example(1);
  Names common;
  std::set_intersection(split.train.begin(), split.train.end(), split.test.begin(), split.test.end(),
                        std::back_inserter(common));
  EXPECT_TRUE(common.empty());
  std::set<std::string> all(split.train.begin(), split.train.end());
  all.insert(split.test.begin(), split.test.end());
  EXPECT_EQ(all.size(), 110U);
  EXPECT_EQ(split.train.size() + split.test.size(), 110U);
}

TEST(Split, SharesFactorsAndOtherGenesSeparately) {
  const GeneSplit split = example(1);
  EXPECT_EQ(count_prefix(split.test, 'T'), 6);
  EXPECT_EQ(count_prefix(split.test, 'G'), 27);
}

TEST(Split, DependsOnTheSeedButNotOnTheOrder) {
  EXPECT_EQ(example(7).test, example(7).test);
  EXPECT_NE(example(7).test, example(8).test);
  const GeneSplit forward = split_genes({"T1", "T2", "T3"}, {"A", "B", "C", "D"}, 0.5, 3);
  const GeneSplit backward = split_genes({"T3", "T1", "T2", "T1"}, {"D", "T2", "C", "B", "A", "A"}, 0.5, 3);
  EXPECT_EQ(forward.train, backward.train);
  EXPECT_EQ(forward.test, backward.test);
}

TEST(Split, LeavesAFactorOnEachSide) {
  for (const double fraction : {0.001, 0.999}) {
    const GeneSplit split = split_genes({"T1", "T2"}, {"G1", "G2"}, fraction, 1);
    EXPECT_EQ(count_prefix(split.train, 'T'), 1);
    EXPECT_EQ(count_prefix(split.test, 'T'), 1);
    EXPECT_EQ(count_prefix(split.test, 'G'), 1);
  }
}

TEST(Split, EveryGeneIsDrawnAtItsRate) {
  std::int64_t in_test = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const GeneSplit split = example(seed);
    in_test += std::binary_search(split.test.begin(), split.test.end(), "G17") ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(in_test) / 400, 0.3, 0.1);  // more than 4 standard deviations
}

TEST(Split, RefusesWrongArguments) {
  for (const double fraction : {0.0, 1.0, -1.0, 2.0})
    test::error_of(ErrorKind::Options, [&] { split_genes({"T1", "T2"}, {}, fraction, 1); });
  test::error_of(ErrorKind::Input, [] { split_genes({"T1", "T1"}, {"G"}, 0.5, 1); });
}

}  // namespace
}  // namespace regulus::data
