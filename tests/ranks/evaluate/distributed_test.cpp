// Results do not depend on the number of ranks: each test computes the one-process answer beside the
// distributed one.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/core/random.h"
#include "regulus/evaluate/bootstrap.h"
#include "regulus/evaluate/evaluation.h"
#include "regulus/evaluate/pair_blocks.h"

namespace regulus::evaluate {
namespace {

using translator::LabelledPairs;

/// Sources 0 … sources-1 with 1 to 5 targets each; source 3 has none.
LabelledPairs some_pairs(std::int32_t sources) {
  LabelledPairs pairs;
  for (std::int32_t s = 0; s < sources; ++s)
    for (std::int32_t t = 0; s != 3 && t < 1 + s % 5; ++t) {
      pairs.source.push_back(s);
      pairs.target.push_back(t);
      pairs.label.push_back(t == 0 ? 1 : 0);
    }
  return pairs;
}

std::vector<Method> some_methods(std::size_t pairs) {
  RandomStream random(3, "test.methods");
  std::vector<Method> methods{{"a", {}}, {"b", {}}};
  for (std::size_t pair = 0; pair < pairs; ++pair)
    for (Method& method : methods) method.score.push_back(static_cast<double>(random.below(20)));
  return methods;
}

void expect_same_bits(const Metric& a, const Metric& b) {
  EXPECT_EQ(std::memcmp(&a, &b, sizeof a), 0);
}

TEST(Evaluation, HasTheSameBitsOnAnyNumberOfRanks) {
  const comm::Communicator world = comm::Communicator::world();
  const auto label = some_pairs(30).label;
  const auto methods = some_methods(label.size());
  // Fewer replicates than ranks, and numbers that the ranks do not divide.
  for (const std::int64_t replicates : {1, 2, 7, 101}) {
    const BootstrapOptions options{.replicates = replicates, .seed = 9};
    const auto together = evaluate_methods(world, {"d", "n", "full", "all-genes"}, methods, label, options);
    const auto alone = evaluate_methods(comm::Communicator::self(), {"d", "n", "full", "all-genes"}, methods,
                                        label, options);
    ASSERT_EQ(together.rows.size(), alone.rows.size());
    for (std::size_t row = 0; row + 1 < alone.rows.size(); ++row) {
      expect_same_bits(together.rows[row].auprc, alone.rows[row].auprc);
      expect_same_bits(together.rows[row].auprc_ratio, alone.rows[row].auprc_ratio);
      expect_same_bits(together.rows[row].auroc, alone.rows[row].auroc);
      expect_same_bits(together.rows[row].epr, alone.rows[row].epr);
    }
  }
}

TEST(PairBlocks, EveryPairIsScoredOnceInItsPlace) {
  const comm::Communicator world = comm::Communicator::world();
  for (const std::int32_t sources : {1, 2, 16, 17, 100}) {
    const LabelledPairs pairs = some_pairs(sources);
    const auto scores = score_pairs(world, pairs, 2, [](const LabelledPairs& block) {
      std::vector<std::vector<double>> result(2);
      for (std::size_t pair = 0; pair < block.label.size(); ++pair) {
        result[0].push_back(block.source[pair]);
        result[1].push_back(block.target[pair]);
      }
      return result;
    });
    for (std::size_t pair = 0; pair < pairs.label.size(); ++pair) {
      EXPECT_EQ(scores[0][pair], pairs.source[pair]);
      EXPECT_EQ(scores[1][pair], pairs.target[pair]);
    }
  }
}

TEST(PairBlocks, CutBetweenSourcesOnly) {
  const LabelledPairs pairs = some_pairs(40);
  const auto cuts = block_cuts(pairs, kSourcesPerBlock);
  EXPECT_EQ(cuts.front(), 0);
  EXPECT_EQ(cuts.back(), pairs.size());
  EXPECT_EQ(cuts.size(), 4U);  // 39 sources with pairs: 16 + 16 + 7
  for (std::size_t cut = 1; cut + 1 < cuts.size(); ++cut) {
    const auto at = static_cast<std::size_t>(cuts[cut]);
    EXPECT_NE(pairs.source[at], pairs.source[at - 1]);
  }
}

TEST(PairBlocks, AnErrorOnOneRankIsAnErrorOnAll) {
  const comm::Communicator world = comm::Communicator::world();
  const LabelledPairs pairs = some_pairs(100);
  const auto fail_on_last_block = [](const LabelledPairs& block) {
    if (block.source.back() == 99) throw InputError("a feature is not finite", "features.h5");
    return std::vector<std::vector<double>>{std::vector<double>(block.label.size())};
  };
  EXPECT_THROW(score_pairs(world, pairs, 1, fail_on_last_block), Error);
}

TEST(Evaluation, DegenerateLabelsAreAnErrorOnAllRanks) {
  const comm::Communicator world = comm::Communicator::world();
  const std::vector<Method> methods{{"a", {1.0, 2.0}}};
  const std::vector<std::uint8_t> label{0, 0};
  EXPECT_THROW(evaluate_methods(world, {"d", "n", "full", "all-genes"}, methods, label, {}), Error);
}

}  // namespace
}  // namespace regulus::evaluate
