#include "regulus/translator/train.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/xor_pairs.h"

namespace regulus::translator {
namespace {

TrainOptions options(std::int64_t batch, std::int64_t leaf) {
  TrainOptions chosen;
  chosen.hidden = {16, 8};
  chosen.epochs = 3;
  chosen.batch = batch;
  chosen.leaf = leaf;
  chosen.seed = 9;
  return chosen;
}

void expect_same_as_one_rank(const PairTable& table, const TrainOptions& chosen) {
  const Translator together = train(comm::Communicator::world(), table, chosen, false);
  const Translator alone = train(comm::Communicator::self(), table, chosen, false);
  for (const std::string& probe : alone.probes()) {
    const ProbeModel& a = alone.model(probe);
    const ProbeModel& b = together.model(probe);
    EXPECT_EQ(a.parameters, b.parameters) << probe;
    EXPECT_EQ(a.standardiser.mean, b.standardiser.mean);
    EXPECT_EQ(a.standardiser.std, b.standardiser.std);
    EXPECT_EQ(a.curve.train, b.curve.train);
    EXPECT_EQ(a.curve.validation, b.curve.validation);
    EXPECT_EQ(a.curve.best_epoch, b.curve.best_epoch);
  }
}

TEST(TrainRanks, SameBitsAsOneRank) {
  expect_same_as_one_rank(test::xor_pairs(10, 30, 3), options(128, 16));
}

TEST(TrainRanks, SameBitsWithFewerLeavesThanRanks) {
  expect_same_as_one_rank(test::xor_pairs(6, 20, 3), options(48, 32));
}

TEST(TrainRanks, BroadcastGivesEveryRankRootsTable) {
  const comm::Communicator world = comm::Communicator::world();
  const PairTable expected = test::xor_pairs(6, 20, 3);
  PairTable table;
  if (world.is_root()) table = expected;
  broadcast(world, table);
  EXPECT_EQ(table.sources, expected.sources);
  EXPECT_EQ(table.targets, expected.targets);
  EXPECT_EQ(table.source, expected.source);
  EXPECT_EQ(table.target, expected.target);
  EXPECT_EQ(table.label, expected.label);
  ASSERT_EQ(table.features.size(), 2U);
  EXPECT_EQ(table.features[1].probe, "copy");
  EXPECT_EQ(table.features[1].width, 3);
  EXPECT_EQ(table.features[1].values, expected.features[1].values);
}

TEST(TrainRanks, DivergenceIsTheSameErrorOnEveryRank) {
  TrainOptions wild = options(128, 16);
  wild.learning_rate = 1e30;
  test::error_of(ErrorKind::Model,
                 [&] { train(comm::Communicator::world(), test::xor_pairs(10, 30, 3), wild, false); });
}

}  // namespace
}  // namespace regulus::translator
