#include "measure.h"

#include <chrono>
#include <functional>
#include <map>
#include <vector>

#include "regulus/comm/exact_sum.h"
#include "regulus/comm/tile_counter.h"

namespace regulus::scheduler {

namespace {

/// Mean time of one of `times` calls on this rank, all ranks beginning together. \collective yes
double seconds_of(const comm::Communicator& world, std::int64_t times, const std::function<void()>& call) {
  call();
  world.barrier();
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < times; ++i) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
         static_cast<double>(times);
}

double seconds_of_take(const comm::Communicator& world) {
  constexpr std::int64_t kTakes = 20000;
  comm::TileCounter counter(world, kTakes * world.size() * 2);
  const double seconds = seconds_of(world, kTakes, [&] { counter.take(); });
  world.barrier();
  counter.close();
  return seconds;
}

/// A tile's sums from the last rank to the first.
double seconds_of_gather(const comm::Communicator& world, std::size_t size) {
  comm::ExactSum sum(size);
  constexpr std::int64_t kTimes = 50;
  const int last = world.size() - 1;
  return seconds_of(world, kTimes, [&] {
    comm::PendingSends sends(world);
    if (world.rank() == last) sum.send(sends, 0);
    if (world.is_root()) sum.receive(world, last);
    sends.wait();
  });
}

struct Holding {
  std::int64_t tile = 0, units = 0;
};

/// Holdings of all ranks by tile, as the runner collects them, for one holding.
double seconds_of_holding(const comm::Communicator& world) {
  constexpr std::int64_t kHoldings = 4096;
  std::vector<Holding> mine;
  for (std::int64_t tile = 0; tile < kHoldings; ++tile) mine.push_back({tile * 7 % kHoldings, 1});
  const double seconds = seconds_of(world, 5, [&] {
    std::map<std::int64_t, std::vector<int>> tiles;
    for (int rank = 0; const auto& holdings : world.all_gather_by_rank(mine)) {
      for (const Holding& holding : holdings) tiles[holding.tile].push_back(rank);
      ++rank;
    }
  });
  return seconds / static_cast<double>(kHoldings * world.size());
}

}  // namespace

nlohmann::json measure(const comm::Communicator& world) {
  constexpr std::size_t kSmall = 16, kLarge = 1U << 20U;
  constexpr double kBytes = sizeof(std::int64_t) * static_cast<double>(kLarge - kSmall);
  const double small = seconds_of_gather(world, kSmall);
  const double large = seconds_of_gather(world, kLarge);
  return {{"ranks", world.size()},
          {"take_s", seconds_of_take(world)},
          {"collective_s", seconds_of(world, 2000, [&] { world.max(1); })},
          {"message_s", small},
          {"gather_byte_s", (large - small) / kBytes},
          {"holding_s", seconds_of_holding(world)}};
}

}  // namespace regulus::scheduler
