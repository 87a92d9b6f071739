#include "regulus/pretrain/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "regulus/core/error.h"
#include "support/structured_corpus.h"

namespace regulus::pretrain {
namespace {

/// 60 genes of which every cell expresses 30.
const Corpus& corpus() {
  static const Corpus result({test::two_programs(50, 60, 5)}, 0.1, 1);
  return result;
}

SamplerOptions options() {
  return {.panel = 20, .mask = 0.4, .expressed_share = 0.5, .seed = 11};
}

std::vector<std::int64_t> row_of(const MaskedLeaf& leaf, std::int64_t row) {
  const auto begin = leaf.gene_ids.begin() + row * leaf.length;
  return {begin, begin + leaf.length};
}

TEST(Sampler, PanelsHoldDistinctGenes) {
  const MaskedLeaf leaf = Sampler(corpus(), options()).training_leaf(0, 16);
  ASSERT_EQ(leaf.length, 20);
  ASSERT_EQ(leaf.samples, 16);
  EXPECT_FALSE(leaf.padded);
  for (std::int64_t row = 0; row < 16; ++row) {
    const auto genes = row_of(leaf, row);
    EXPECT_EQ(std::set<std::int64_t>(genes.begin(), genes.end()).size(), 20U);
    EXPECT_GE(*std::min_element(genes.begin(), genes.end()), 3);  // no special token
  }
}

TEST(Sampler, MasksTheAskedShareAndShowsTheRest) {
  const MaskedLeaf leaf = Sampler(corpus(), options()).training_leaf(0, 16);
  EXPECT_EQ(leaf.masked_count, 16 * 8);
  std::int64_t masked = 0;
  for (std::size_t i = 0; i < leaf.shown.size(); ++i) {
    EXPECT_EQ(leaf.shown[i], leaf.masked[i] > 0 ? -1.0F : leaf.truth[i]);
    masked += leaf.masked[i] > 0 ? 1 : 0;
  }
  EXPECT_EQ(masked, leaf.masked_count);
}

TEST(Sampler, MasksEveryPositionEquallyOften) {
  const MaskedLeaf leaf = Sampler(corpus(), options()).training_leaf(0, 4000);
  for (std::int64_t position = 0; position < 20; ++position) {
    double count = 0;
    for (std::int64_t row = 0; row < 4000; ++row)
      count += static_cast<double>(leaf.masked[static_cast<std::size_t>(row * 20 + position)]);
    EXPECT_NEAR(count / 4000.0, 0.4, 0.04) << position;  // 5 standard deviations
  }
}

double expressed_per_panel(double share, std::int64_t panel) {
  SamplerOptions asked = options();
  asked.expressed_share = share;
  asked.panel = panel;
  const MaskedLeaf leaf = Sampler(corpus(), asked).training_leaf(0, 500);
  const auto count =
      std::count_if(leaf.truth.begin(), leaf.truth.end(), [](float value) { return value > 0.0F; });
  return static_cast<double>(count) / 500.0;
}

TEST(Sampler, DrawsTheShareOfExpressedGenesAndTheRestFromAllOthers) {
  EXPECT_NEAR(expressed_per_panel(0.0, 20), 10.0, 0.5);  // half of all genes are expressed
  EXPECT_NEAR(expressed_per_panel(0.5, 20), 10.0 + 10.0 * 20.0 / 50.0, 0.5);
  EXPECT_DOUBLE_EQ(expressed_per_panel(1.0, 20), 20.0);
  EXPECT_DOUBLE_EQ(expressed_per_panel(1.0, 45), 30.0);  // no more than there are
}

TEST(Sampler, TruthIsTheCellsValueOfTheGene) {
  const MaskedLeaf leaf = Sampler(corpus(), options()).training_leaf(3, 1);
  float level = 0.0F;
  std::set<std::int64_t> high;
  std::set<std::int64_t> low;
  for (std::size_t i = 0; i < leaf.truth.size(); ++i) {
    const std::string gene = corpus().vocabulary().token(leaf.gene_ids[i]);
    (leaf.truth[i] > 0.0F ? high : low).insert(std::stoll(gene.substr(1)) % 2);
    level = std::max(level, leaf.truth[i]);
  }
  EXPECT_EQ(high.size(), 1U);  // one program is on,
  EXPECT_EQ(low.size(), 1U);   // the other is off,
  EXPECT_NE(high, low);
  for (const float value : leaf.truth) EXPECT_TRUE(value == 0.0F || value == level);  // at one level
}

TEST(Sampler, CorruptedPositionsShowAnotherCellsValueOfTheSameGene) {
  SamplerOptions asked = options();
  asked.corrupt = 0.5;
  const MaskedLeaf leaf = Sampler(corpus(), asked).training_leaf(0, 200);
  std::map<std::int64_t, std::set<float>> seen;  // every value of a gene in any cell
  const auto& dataset = corpus().dataset(0);
  const auto dense = dataset.dense();
  for (std::size_t i = 0; i < dense.size(); ++i) seen[corpus().gene_ids(0)[i % 60]].insert(dense[i]);
  std::int64_t corrupted = 0;
  std::int64_t different = 0;
  for (std::size_t i = 0; i < leaf.shown.size(); ++i) {
    if (leaf.masked[i] == 0.0F || leaf.shown[i] == -1.0F) continue;
    ++corrupted;
    different += leaf.shown[i] != leaf.truth[i] ? 1 : 0;
    EXPECT_TRUE(seen[leaf.gene_ids[i]].contains(leaf.shown[i]));
  }
  EXPECT_EQ(corrupted, 200 * 4);
  EXPECT_GT(different, 200 * 2);
}

TEST(Sampler, ASampleDependsOnItsNumberAlone) {
  const Sampler sampler(corpus(), options());
  const MaskedLeaf whole = sampler.training_leaf(0, 8);
  const MaskedLeaf part = sampler.training_leaf(5, 2);
  EXPECT_TRUE(std::equal(part.gene_ids.begin(), part.gene_ids.end(), whole.gene_ids.begin() + 5 * 20));
  EXPECT_TRUE(std::equal(part.shown.begin(), part.shown.end(), whole.shown.begin() + 5 * 20));
  SamplerOptions other = options();
  other.seed = 12;
  EXPECT_NE(Sampler(corpus(), other).training_leaf(0, 8).gene_ids, whole.gene_ids);
}

TEST(Sampler, PadsPanelsOfDataSetsWithFewerGenes) {
  const Corpus mixed({test::two_programs(30, 60, 5), test::two_programs(30, 12, 6, "S")}, 0.0, 1);
  const MaskedLeaf leaf = Sampler(mixed, options()).training_leaf(0, 40);
  ASSERT_EQ(leaf.length, 20);
  ASSERT_TRUE(leaf.padded);
  std::set<std::int64_t> lengths;
  for (std::int64_t row = 0; row < 40; ++row) {
    std::int64_t length = 0;
    double masked = 0;
    for (auto i = static_cast<std::size_t>(row * 20); i < static_cast<std::size_t>(row * 20 + 20); ++i) {
      length += leaf.padding[i] == 0 ? 1 : 0;
      masked += static_cast<double>(leaf.masked[i]);
      if (leaf.padding[i] == 0) continue;
      EXPECT_EQ(leaf.gene_ids[i], 0);
      EXPECT_EQ(leaf.shown[i], -2.0F);
      EXPECT_EQ(leaf.masked[i], 0.0F);
    }
    EXPECT_DOUBLE_EQ(masked, length == 20 ? 8.0 : 5.0);
    lengths.insert(length);
  }
  EXPECT_EQ(lengths, (std::set<std::int64_t>{12, 20}));
}

TEST(Sampler, BalanceDrawsEveryDataSetEquallyOften) {
  const Corpus uneven({test::two_programs(90, 30, 5), test::two_programs(10, 30, 6, "S")}, 0.0, 1);
  const auto share_of_second = [&](bool balance) {
    SamplerOptions asked = options();
    asked.balance_datasets = balance;
    const MaskedLeaf leaf = Sampler(uneven, asked).training_leaf(0, 2000);
    double second = 0;
    for (std::int64_t row = 0; row < 2000; ++row)
      if (uneven.vocabulary().token(leaf.gene_ids[static_cast<std::size_t>(row * 20)])[0] == 'S')
        second += 1.0;
    return second / 2000.0;
  };
  EXPECT_NEAR(share_of_second(false), 0.1, 0.035);
  EXPECT_NEAR(share_of_second(true), 0.5, 0.06);
}

TEST(Sampler, ValidationUsesHeldOutCellsOnly) {
  const data::Expression cells = data::from_dense({"a", "b", "c", "d"}, {"X", "Y"}, {1, 1, 2, 2, 3, 3, 4, 4});
  const Corpus small({cells}, 0.25, 3);
  ASSERT_EQ(small.validation_cells().size(), 1U);
  const float held_out = static_cast<float>(small.validation_cells()[0].cell + 1);
  const Sampler sampler(small, {.panel = 2, .mask = 0.5, .seed = 1});
  for (const float value : sampler.validation_leaf(0, 10).truth) EXPECT_EQ(value, held_out);
  for (const float value : sampler.training_leaf(0, 50).truth) EXPECT_NE(value, held_out);
}

TEST(Sampler, RefusesOptionsOutOfRange) {
  const auto refused = [](auto change) {
    SamplerOptions asked = options();
    change(asked);
    EXPECT_THROW(Sampler(corpus(), asked), OptionError);
  };
  refused([](auto& o) { o.panel = 1; });
  refused([](auto& o) { o.mask = 0.0; });
  refused([](auto& o) { o.mask = 1.0; });
  refused([](auto& o) { o.corrupt = 1.5; });
  refused([](auto& o) { o.expressed_share = -0.1; });
}

}  // namespace
}  // namespace regulus::pretrain
