#include "regulus/probe/runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "regulus/comm/agree.h"
#include "regulus/comm/tile_counter.h"
#include "regulus/probe/tile_features.h"
#include "regulus/probe/tile_owners.h"
#include "regulus/probe/work_list.h"

namespace regulus::probe {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

WorkList work_left(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
                   const storage::FeatureStoreWriter& store) {
  std::vector<std::int64_t> tiles;
  for (std::size_t tile = 0; tile < store.done().size(); ++tile)
    if (store.done()[tile] == 0) tiles.push_back(static_cast<std::int64_t>(tile));
  return {job, model.pass_shape(), std::move(tiles), comm.size()};
}

/// Parts of one tile that one rank has added up.
struct Holding {
  std::int64_t tile = 0;
  std::int64_t parts = 0;
};

/// The ranks that hold a tile's sums.
using Holders = std::vector<TileHolder>;

std::int64_t parts_of(const Holders& holders) {
  return std::accumulate(holders.begin(), holders.end(), std::int64_t{0},
                         [](std::int64_t sum, const TileHolder& holder) { return sum + holder.parts; });
}

std::size_t bytes_of(const StoredTile& tile) {
  std::size_t values = 0;
  for (const auto& [name, features] : tile.features) values += features.size();
  return values * sizeof(float);
}

/// Sums over units.
class UnitSums {
 public:
  void add(double flops, double seconds) {
    const double pace = flops > 0.0 ? seconds / flops : 0.0;
    ++count_;
    flops_ += flops;
    seconds_ += seconds;
    // Welford's way: paces are small numbers that differ little.
    const double difference = pace - mean_;
    mean_ += difference / static_cast<double>(count_);
    squares_ += difference * (pace - mean_);
  }

  UnitTimes result() const {
    const double variance = count_ > 1 ? squares_ / static_cast<double>(count_ - 1) : 0.0;
    return {count_, flops_, seconds_, mean_ > 0.0 ? std::sqrt(variance) / mean_ : 0.0};
  }

 private:
  std::int64_t count_ = 0;
  double flops_ = 0.0, seconds_ = 0.0, mean_ = 0.0, squares_ = 0.0;
};

class Run {
 public:
  Run(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
      storage::FeatureStoreWriter& store, const RunControl& control)
      : comm_(comm),
        model_(model),
        job_(job),
        store_(store),
        control_(control),
        work_(work_left(comm, model, job, store)),
        counter_(comm, work_.size()),
        round_(control.shortest_round_s, control.longest_round_s, control.held_bytes) {}

  RunResult operator()() {
    do {
      compute_round();
      write_round();
    } while (comm_.any(!exhausted_));
    counter_.close();
    const auto& done = store_.done();
    return {std::find(done.begin(), done.end(), 0) == done.end(), comm_.all_gather(std::vector{times_}),
            comm_.all_gather(std::vector{units_.result()})};
  }

 private:
  /// Until the round is over: takes units, and finishes the tiles of which this rank had every part.
  void compute_round() {
    const auto start = Clock::now();
    std::exception_ptr failure;
    try {
      do take_unit();
      while (!exhausted_ && !round_.over(seconds_since(start), held_bytes()));
    } catch (...) {
      failure = std::current_exception();
      counter_.stop_at(0);
    }
    const auto end = Clock::now();
    times_.compute_s += std::chrono::duration<double>(end - start).count();
    meet(failure);
    times_.wait_s += seconds_since(end);
  }

  /// All ranks leave together, with the error of one if there is any. The others may be deep in a long unit:
  /// then the failed rank does not wait for them, and its error ends the job.
  void meet(const std::exception_ptr& failure) {
    constexpr std::chrono::seconds kPatience{2};
    constexpr std::chrono::hours kForever{1000000};
    const bool together = comm_.all_arrive_within(failure ? kPatience : kForever);
    if (!together) std::rethrow_exception(failure);
    comm::agree(comm_, "probing", [&] {
      if (failure) std::rethrow_exception(failure);
    });
  }

  void take_unit() {
    if (control_.stop_requested(longest_unit_s_)) counter_.stop_at(work_.end_of_tile(counter_.taken()));
    const auto number = counter_.take();
    exhausted_ = !number.has_value();
    if (number) compute(*number);
  }

  void compute(std::int64_t number) {
    const auto start = Clock::now();
    const WorkUnit unit = work_.unit(number);
    Held& held = held_[unit.tile];
    if (!held.features) held.features = std::make_unique<TileFeatures>(job_, unit.tile);
    for (const TilePart& part : work_.parts_of(unit)) held.features->add(model_, part);
    held.parts += static_cast<std::int64_t>(unit.last_part - unit.first_part);
    units_.add(work_.flops(unit, job_, model_.pass_shape()), seconds_since(start));
    if (held.parts == work_.parts_per_tile()) finish(unit.tile);
    longest_unit_s_ = std::max(longest_unit_s_, seconds_since(start));
    control_.progress.advance(number + 1 - shown_);
    shown_ = number + 1;
  }

  /// Turns the sums of a tile, all of which this rank holds, into what is stored.
  void finish(std::int64_t tile) {
    finished_.push_back(control_.finish({tile, held_.at(tile).features->features(model_), {}}));
    finished_bytes_ += bytes_of(finished_.back());
    held_.erase(tile);
  }

  std::size_t held_bytes() const {
    std::size_t bytes = finished_bytes_;
    for (const auto& [tile, held] : held_) bytes += TileFeatures::bytes(job_, job_.plan().block(tile));
    return bytes;
  }

  /// Brings the parts of every tile together that is finished but for that, and writes what is finished.
  void write_round() {
    const auto start = Clock::now();
    const std::vector<std::int64_t> complete = gather();
    comm::agree(comm_, "probing", [&] {
      for (const std::int64_t tile : complete) finish(tile);
    });
    const auto exchanged = Clock::now();
    times_.exchange_s += std::chrono::duration<double>(exchanged - start).count();
    store_.write_round(finished_);
    finished_.clear();
    finished_bytes_ = 0;
    plan_round();
    times_.write_s += seconds_since(exchanged);
  }

  /// Of tiles that are whole.
  std::map<std::int64_t, Holders> holders_of_tiles() const {
    std::vector<Holding> mine;
    for (const auto& [tile, held] : held_) mine.push_back({tile, held.parts});
    std::map<std::int64_t, Holders> tiles;
    for (int rank = 0; const auto& holdings : comm_.all_gather_by_rank(mine)) {
      for (const Holding& holding : holdings) tiles[holding.tile].push_back({rank, holding.parts});
      ++rank;
    }
    std::erase_if(tiles, [this](const auto& tile) { return parts_of(tile.second) < work_.parts_per_tile(); });
    return tiles;
  }

  /// Sends what this rank holds of tiles that are whole to their owners, and receives what the others hold of
  /// its own. All is sent before anything is received, and pairs of ranks go through the tiles in the same
  /// order. \return the tiles that this rank has whole
  std::vector<std::int64_t> gather() {
    std::vector<std::int64_t> own, sent;
    comm::PendingSends sends(comm_);
    const std::map<std::int64_t, Holders> tiles = holders_of_tiles();
    TileOwners owners(comm_.size());
    for (const auto& [tile, holders] : tiles) {
      const int owner = owners.owner_of(holders);
      const auto held = held_.find(tile);
      if (held == held_.end()) continue;
      (owner == comm_.rank() ? own : sent).push_back(tile);
      if (owner != comm_.rank()) held->second.features->send(sends, owner);
    }
    for (const std::int64_t tile : own)
      for (const TileHolder& holder : tiles.at(tile))
        if (holder.rank != comm_.rank()) held_.at(tile).features->receive(comm_, holder.rank);
    sends.wait();
    for (const std::int64_t tile : sent) held_.erase(tile);
    return own;
  }

  void plan_round() {
    const auto longest_us = static_cast<std::int64_t>(1e6 * longest_unit_s_);
    round_.plan_next(1e-6 * static_cast<double>(comm_.max(longest_us)));
  }

  struct Held {
    std::unique_ptr<TileFeatures> features;
    std::int64_t parts = 0;
  };

  const comm::Communicator& comm_;
  const backbone::Backbone& model_;
  const ProbeJob& job_;
  storage::FeatureStoreWriter& store_;
  const RunControl& control_;
  const WorkList work_;
  comm::TileCounter counter_;
  std::map<std::int64_t, Held> held_;  ///< by tile; what is not finished stays from round to round
  std::vector<StoredTile> finished_;
  std::size_t finished_bytes_ = 0;
  RoundRule round_;
  double longest_unit_s_ = 0.0;
  std::int64_t shown_ = 0;
  bool exhausted_ = false;
  RankTimes times_;
  UnitSums units_;
};

}  // namespace

RunResult run(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
              storage::FeatureStoreWriter& store, const RunControl& control) {
  return Run(comm, model, job, store, control)();
}

std::int64_t units_left(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
                        const storage::FeatureStoreWriter& store) {
  return work_left(comm, model, job, store).size();
}

}  // namespace regulus::probe
