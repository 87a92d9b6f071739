#include <gtest/gtest.h>

#include <numeric>

#include <cmath>

#include "regulus/comm/agree.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace {

using namespace regulus;

TEST(Agree, EveryRankThrowsTheErrorOfTheLowestFailedRank) {
  const auto world = comm::Communicator::world();
  const int culprit = world.size() / 2;
  const auto work = [&] {
    if (world.rank() >= culprit) throw InputError("rank " + std::to_string(world.rank()), "file", "hint");
  };
  try {
    comm::agree(world, "test", work);
    FAIL() << "no error on rank " << world.rank();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Input);
    EXPECT_EQ(error.message(), "rank " + std::to_string(culprit));
    EXPECT_EQ(error.where(), "file");
    EXPECT_EQ(error.hint(), "hint");
  }
}

TEST(Agree, ForeignExceptionsBecomeInternalErrorsOfThePhase) {
  const auto world = comm::Communicator::world();
  try {
    comm::agree_on_root(world, "reading", [] { throw std::runtime_error("boom"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Internal);
    EXPECT_EQ(error.where(), "reading");
  }
}

TEST(Agree, ReturnsTheWorksResult) {
  const auto world = comm::Communicator::world();
  EXPECT_EQ(comm::agree(world, "test", [&] { return world.rank() + 5; }), world.rank() + 5);
}

TEST(Communicator, BroadcastsStringsAndVectors) {
  const auto world = comm::Communicator::world();
  std::vector<std::string> texts;
  std::vector<double> numbers;
  if (world.is_root()) {
    texts = {"a", "", "gene"};
    numbers = {1.0, 2.5};
  }
  world.broadcast(texts);
  world.broadcast(numbers);
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "", "gene"}));
  EXPECT_EQ(numbers, (std::vector<double>{1.0, 2.5}));
}

TEST(Communicator, GathersInRankOrder) {
  const auto world = comm::Communicator::world();
  const std::vector<int> mine(static_cast<std::size_t>(world.rank()), world.rank());  // rank 0 has nothing
  std::vector<int> expected;
  for (int r = 0; r < world.size(); ++r) expected.insert(expected.end(), static_cast<std::size_t>(r), r);
  EXPECT_EQ(world.all_gather(mine), expected);
}

std::vector<double> addend(std::uint64_t index) {
  RandomStream random(1, "addend", index);
  return {random.normal(), 1e-6 * random.normal(), 1e2 * random.normal()};
}

constexpr std::uint64_t kAddends = 24;

TEST(ExactSum, DoesNotDependOnTheNumberOfRanksOrTheOrder) {
  const auto world = comm::Communicator::world();
  comm::ExactSum alone(3, 34, 1024);
  for (std::uint64_t i = kAddends; i-- > 0;) alone.add(addend(i));
  comm::ExactSum shared(3, 34, 1024);
  const auto stride = static_cast<std::uint64_t>(world.size());
  for (auto i = static_cast<std::uint64_t>(world.rank()); i < kAddends; i += stride) shared.add(addend(i));
  comm::ExactSum copy = shared;
  const auto expected = [&] {
    comm::ExactSum local = alone;
    auto sums = local.reduce(world);  // `alone` holds every addend on every rank
    for (double& sum : sums) sum /= world.size();
    return sums;
  }();
  EXPECT_EQ(shared.reduce(world), expected);
  const int owner = world.size() - 1;
  comm::PendingSends sends(world);
  if (world.rank() != owner) copy.send(sends, owner);
  for (int rank = owner - 1; world.rank() == owner && rank >= 0; --rank) copy.receive(world, rank);
  sends.wait();
  if (world.rank() == owner) {
    EXPECT_EQ(copy.totals(), expected);
  }
}

TEST(PendingSends, ArriveInTheirOrderWhateverTheOrderOfTheReceivers) {
  const auto world = comm::Communicator::world();
  // Too large to be buffered: sends that waited for their receivers would stop all ranks.
  constexpr std::size_t kValues = 1U << 18U;
  std::vector<std::vector<std::int64_t>> messages;
  comm::PendingSends sends(world);
  for (int to = 0; to < world.size(); ++to)
    for (int number = 0; number < 2; ++number)
      messages.emplace_back(kValues, 100 * world.rank() + 10 * to + number);
  for (std::size_t k = 0; k < messages.size(); ++k) sends.send(messages[k], static_cast<int>(k / 2));
  std::vector<std::int64_t> received(kValues);
  for (int from = world.size() - 1; from >= 0; --from)
    for (int number = 0; number < 2; ++number) {
      comm::receive(world, received, from);
      EXPECT_EQ(received.front(), 100 * from + 10 * world.rank() + number);
      EXPECT_EQ(received.back(), received.front());
    }
  sends.wait();
}

TEST(ExactSum, IsCloseToTheSumInDoublePrecision) {
  const auto world = comm::Communicator::world();
  comm::ExactSum sum(3, 34, 1024);
  std::vector<double> plain(3, 0.0);
  for (std::uint64_t i = 0; i < kAddends; ++i) {
    const auto values = addend(i);
    if (world.is_root()) sum.add(values);
    for (std::size_t k = 0; k < 3; ++k) plain[k] += values[k];
  }
  const auto result = sum.reduce(world);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(result[k], plain[k], kAddends * 0x1p-34);
}

TEST(ExactSum, NotANumberOnOneRankIsAnErrorOnAll) {
  const auto world = comm::Communicator::world();
  comm::ExactSum sum(1);
  const double value = world.rank() == world.size() - 1 ? std::nan("") : 1.0;
  sum.add(std::vector<double>{value});
  comm::ExactSum copy = sum;
  EXPECT_THROW(sum.reduce(world), ModelError);
  const int last = world.size() - 1;
  comm::PendingSends sends(world);
  if (last > 0 && world.rank() == last) copy.send(sends, 0);
  if (last > 0 && world.is_root()) copy.receive(world, last);
  sends.wait();
  if (world.is_root()) {
    EXPECT_THROW(copy.totals(), ModelError);
  }
}

}  // namespace
