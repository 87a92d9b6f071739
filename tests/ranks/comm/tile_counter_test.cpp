// The one-sided counter on every number of ranks.
#include "regulus/comm/tile_counter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace {

using namespace regulus;

class TileCounterTest : public ::testing::Test {
 protected:
  std::vector<std::int64_t> take_all(comm::TileCounter& counter) const {
    std::vector<std::int64_t> mine;
    while (const auto number = counter.take()) mine.push_back(*number);
    std::vector<std::int64_t> all = world_.all_gather(mine);
    std::sort(all.begin(), all.end());
    return all;
  }

  static std::vector<std::int64_t> first(std::int64_t count) {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }

  comm::Communicator world_ = comm::Communicator::world();
};

TEST_F(TileCounterTest, EveryNumberIsGivenOnce) {
  for (const std::int64_t count : {0, 1, 1000}) {
    comm::TileCounter counter(world_, count);
    EXPECT_EQ(take_all(counter), first(count));
    EXPECT_EQ(counter.taken(), count);
    counter.close();
  }
}

TEST_F(TileCounterTest, StopsAtTheLowestLimitThatAnyRankAsksFor) {
  comm::TileCounter counter(world_, 1000);
  counter.stop_at(20 + world_.rank());
  world_.barrier();
  EXPECT_EQ(take_all(counter), first(20));
  counter.close();
}

TEST_F(TileCounterTest, OneRankAloneTakesAllWhileTheOthersWait) {
  comm::TileCounter counter(world_, 50);
  std::vector<std::int64_t> mine;
  if (world_.rank() == world_.size() - 1)
    while (const auto number = counter.take()) mine.push_back(*number);
  world_.barrier();
  EXPECT_EQ(world_.all_gather(mine), first(50));
  counter.close();
}

}  // namespace
