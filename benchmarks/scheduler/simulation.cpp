#include "simulation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <queue>
#include <unordered_map>
#include <utility>

#include "regulus/core/random.h"
#include "regulus/probe/tile_owners.h"

namespace regulus::scheduler {

namespace {

using Holders = std::vector<probe::TileHolder>;

class Simulation {
 public:
  Simulation(const Work& work, const Machine& machine, probe::RoundRule rule, int ranks, std::uint64_t seed)
      : work_(work), machine_(machine), rule_(rule), seed_(seed), ranks_(static_cast<std::size_t>(ranks)) {
    double all = 0.0;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank)
      all += ranks_[rank].flops_per_s = factor("rank", rank, machine.rank_spread);
    for (Rank& rank : ranks_) rank.flops_per_s *= machine.flops_per_s * static_cast<double>(ranks) / all;
  }

  Outcome operator()() {
    do {
      spend(outcome_.losses.idle, [this] { compute_round(); });
      spend(outcome_.losses.exchange, [this] { exchange_round(); });
      spend(outcome_.losses.write, [this] { write_round(); });
      rule_.plan_next(longest_unit_s_);
      ++outcome_.rounds;
    } while (!exhausted_);
    outcome_.wall_s = now_;
    return outcome_;
  }

 private:
  struct Rank {
    double clock = 0.0;
    double flops_per_s = 1.0;
    std::unordered_map<std::int64_t, std::int64_t> held;  ///< parts by tile
    std::int64_t finished = 0;                            ///< tiles not yet written
    double sending = 0.0;                                 ///< time of its messages in this round
  };

  /// A lognormal number of mean 1.
  double factor(const char* purpose, std::size_t index, double spread) const {
    if (spread == 0.0) return 1.0;
    const double variance = std::log1p(spread * spread);
    return std::exp(std::sqrt(variance) * RandomStream(seed_, purpose, index).normal() - 0.5 * variance);
  }

  /// A phase that all ranks enter and leave together; what no rank computed in it, and no loss of its own
  /// accounts for, is that loss.
  template <typename Phase>
  void spend(double& loss, Phase phase) {
    const double start = now_;
    const double used = outcome_.compute_s + outcome_.losses.counter;
    phase();
    for (const Rank& rank : ranks_) now_ = std::max(now_, rank.clock);
    for (Rank& rank : ranks_) rank.clock = now_;
    const double all = (now_ - start) * static_cast<double>(ranks_.size());
    loss += all - (outcome_.compute_s + outcome_.losses.counter - used);
  }

  /// The rank that is free first takes the next unit.
  void compute_round() {
    using Event = std::pair<double, std::size_t>;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> free;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) free.emplace(now_, rank);
    exhausted_ = true;
    for (; !free.empty(); free.pop()) {
      const auto [time, number] = free.top();
      Rank& rank = ranks_[number];
      rank.clock = take(time);
      if (next_ == work_.units.size()) continue;
      compute(rank, next_++);
      if (rule_.over(rank.clock - now_, held_bytes(rank)))
        exhausted_ = false;
      else
        free.emplace(rank.clock, number);
    }
  }

  /// When the counter has answered: it serves requests in the order in which they arrive.
  double take(double time) {
    counter_free_ = std::max(counter_free_, time + 0.5 * machine_.take_latency_s) + machine_.take_service_s;
    const double answered = counter_free_ + 0.5 * machine_.take_latency_s;
    outcome_.losses.counter += answered - time;
    return answered;
  }

  void compute(Rank& rank, std::size_t number) {
    const Work::Unit& unit = work_.units[number];
    const double seconds = unit.flops / rank.flops_per_s * factor("unit", number, machine_.unit_spread);
    longest_unit_s_ = std::max(longest_unit_s_, seconds);
    use(rank, seconds);
    if ((rank.held[unit.tile] += unit.parts) == work_.parts_per_tile) finish(rank, unit.tile);
  }

  void use(Rank& rank, double seconds) {
    rank.clock += seconds;
    outcome_.compute_s += seconds;
  }

  void finish(Rank& rank, std::int64_t tile) {
    use(rank, machine_.finish_s);
    rank.held.erase(tile);
    ++rank.finished;
  }

  std::size_t held_bytes(const Rank& rank) const {
    return static_cast<std::size_t>(work_.sum_bytes * static_cast<double>(rank.held.size()) +
                                    work_.stored_bytes * static_cast<double>(rank.finished));
  }

  double seconds_of_collectives(double calls) const {
    return calls * (machine_.collective_s + machine_.level_s * std::log2(static_cast<double>(ranks_.size())));
  }

  /// By tile in ascending order, as ranks gather them; of each tile by rank.
  std::map<std::int64_t, Holders> holdings() const {
    std::map<std::int64_t, Holders> tiles;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank)
      for (const auto& [tile, parts] : ranks_[rank].held)
        tiles[tile].push_back({static_cast<int>(rank), parts});
    return tiles;
  }

  void exchange_round() {
    constexpr double kCalls = 6.0;  // the meeting, its agreement, the gatherings of holders, the agreement
    constexpr double kHoldingBytes = 16.0;
    const auto tiles = holdings();
    double count = 0.0;
    for (const auto& [tile, holders] : tiles) count += static_cast<double>(holders.size());
    const double together =
        seconds_of_collectives(kCalls) + count * (machine_.holding_s + kHoldingBytes * machine_.byte_s);
    for (Rank& rank : ranks_) rank.clock += together;
    std::vector<std::pair<int, std::int64_t>> gathered;
    probe::TileOwners owners(static_cast<int>(ranks_.size()));
    for (const auto& [tile, holders] : tiles) {
      if (!is_whole(holders)) continue;
      gathered.emplace_back(owners.owner_of(holders), tile);
      gather(tile, holders, gathered.back().first);
    }
    for (Rank& rank : ranks_) {
      rank.clock = std::max(rank.clock, now_ + together + rank.sending);
      rank.sending = 0.0;
    }
    for (const auto& [owner, tile] : gathered) finish(rank_at(owner), tile);
    outcome_.gathered_tiles += static_cast<std::int64_t>(gathered.size());
  }

  bool is_whole(const Holders& holders) const {
    std::int64_t parts = 0;
    for (const probe::TileHolder& holder : holders) parts += holder.parts;
    return parts == work_.parts_per_tile;
  }

  /// The owner receives from the others, one after the other. All have begun to send at once: what each of
  /// them has to send takes its own time.
  void gather(std::int64_t tile, const Holders& holders, int owner) {
    const double transfer = machine_.message_s + machine_.byte_s * work_.sum_bytes;
    for (const probe::TileHolder& holder : holders) {
      if (holder.rank == owner) continue;
      rank_at(owner).clock += transfer + machine_.sum_byte_s * work_.sum_bytes;
      rank_at(holder.rank).sending += transfer;
      rank_at(holder.rank).held.erase(tile);
    }
  }

  Rank& rank_at(int number) { return ranks_[static_cast<std::size_t>(number)]; }

  void write_round() {
    constexpr double kCalls = 6.0;  // three agreements, the tiles' numbers, the longest unit, all exhausted?
    double tiles = 0.0;
    for (Rank& rank : ranks_) {
      tiles += static_cast<double>(rank.finished);
      rank.clock += machine_.tile_write_s * static_cast<double>(rank.finished);
      rank.finished = 0;
    }
    const double calls = seconds_of_collectives(kCalls);
    const double transfer = machine_.file_byte_s * work_.stored_bytes * tiles;
    for (Rank& rank : ranks_) rank.clock = std::max(rank.clock, now_ + transfer) + calls;
  }

  const Work& work_;
  const Machine& machine_;
  probe::RoundRule rule_;
  std::uint64_t seed_;
  std::vector<Rank> ranks_;
  std::size_t next_ = 0;  ///< unit
  double now_ = 0.0, counter_free_ = 0.0, longest_unit_s_ = 0.0;
  bool exhausted_ = false;
  Outcome outcome_;
};

}  // namespace

Outcome simulate(const Work& work, const Machine& machine, probe::RoundRule rule, int ranks,
                 std::uint64_t seed) {
  return Simulation(work, machine, rule, ranks, seed)();
}

}  // namespace regulus::scheduler
