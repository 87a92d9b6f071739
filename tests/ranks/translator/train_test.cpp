#include "regulus/translator/train.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

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

void expect_same(const std::vector<TrainedMlp>& a, const std::vector<TrainedMlp>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].parameters, b[i].parameters);
    EXPECT_EQ(a[i].curve.train, b[i].curve.train);
    EXPECT_EQ(a[i].curve.validation, b[i].curve.validation);
    EXPECT_EQ(a[i].curve.best_epoch, b[i].curve.best_epoch);
  }
}

void expect_same_as_one_rank(const PairTable& table, const TrainOptions& chosen) {
  const Translator together = train(comm::Communicator::world(), table, chosen, false);
  const Translator alone = train(comm::Communicator::self(), table, chosen, false);
  for (const std::string& probe : alone.probes()) {
    const ProbeModel& a = alone.model(probe);
    const ProbeModel& b = together.model(probe);
    expect_same(a.members, b.members);
    expect_same(a.nulls, b.nulls);
    EXPECT_EQ(a.standardiser.mean, b.standardiser.mean);
    EXPECT_EQ(a.standardiser.std, b.standardiser.std);
  }
}

TEST(TrainRanks, SameBitsAsOneRank) {
  expect_same_as_one_rank(test::xor_pairs(10, 30, 3), options(128, 16));
}

TEST(TrainRanks, SameBitsWithFewerLeavesThanRanks) {
  expect_same_as_one_rank(test::xor_pairs(6, 20, 3), options(48, 32));
}

TEST(TrainRanks, SameBitsWithMembersAndNulls) {
  TrainOptions crowd = options(128, 16);
  crowd.members = 2;
  crowd.nulls = 2;
  expect_same_as_one_rank(test::xor_pairs(10, 30, 3), crowd);
}

/// A folder that all ranks know; root's to remove.
std::filesystem::path shared_folder(const comm::Communicator& world) {
  std::string path;
  if (world.is_root())
    path = std::filesystem::temp_directory_path() / ("regulus_" + std::to_string(getpid()));
  world.broadcast(path);
  if (world.is_root()) std::filesystem::create_directories(path);
  world.barrier();
  return path;
}

/// Interrupted by the last rank alone and resumed, again and again; one piece is a single rank's.
TEST(TrainRanks, SameBitsInPiecesOnSeveralNumbersOfRanks) {
  const comm::Communicator world = comm::Communicator::world();
  const std::filesystem::path folder = shared_folder(world);
  const PairTable table = test::xor_pairs(10, 30, 3);
  TrainOptions crowd = options(16, 8);
  crowd.members = 2;
  TrainControl control{.checkpoint = folder / "checkpoint", .resume = true, .job = {{"seed", 9}}};
  const auto stop = [&] { return world.rank() + 1 == world.size(); };
  control.stop_requested = stop;
  for (int piece = 0; piece < 3; ++piece)
    test::error_of(ErrorKind::Interrupted, [&] { train(world, table, crowd, control); });
  if (world.is_root()) {
    control.stop_requested = [] { return true; };
    test::error_of(ErrorKind::Interrupted, [&] { train(comm::Communicator::self(), table, crowd, control); });
  }
  world.barrier();
  control.stop_requested = nullptr;
  const Translator together = train(world, table, crowd, control);
  const Translator alone = train(comm::Communicator::self(), table, crowd, false);
  for (const std::string& probe : alone.probes())
    expect_same(together.model(probe).members, alone.model(probe).members);
  world.barrier();
  if (world.is_root()) std::filesystem::remove_all(folder);
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
