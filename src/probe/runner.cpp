#include "regulus/probe/runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <utility>

#include "regulus/comm/agree.h"
#include "regulus/comm/tile_counter.h"
#include "regulus/probe/tile_features.h"
#include "work_list.h"

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

/// Units of one tile that one rank has added up.
struct Holding {
  std::int64_t tile = 0;
  std::int64_t units = 0;
};

/// The ranks that hold a tile's sums.
struct Holders {
  std::vector<int> ranks;
  int owner = 0;  ///< the one with most units, so that least travels
  std::int64_t most_units = 0;
  std::int64_t units = 0;
};

std::size_t bytes_of(const StoredTile& tile) {
  std::size_t values = 0;
  for (const auto& [name, features] : tile.features) values += features.size();
  return values * sizeof(float);
}

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
        round_s_(control.shortest_round_s) {}

  RunResult operator()() {
    do {
      compute_round();
      write_round();
    } while (comm_.any(!exhausted_));
    counter_.close();
    const auto& done = store_.done();
    return {std::find(done.begin(), done.end(), 0) == done.end(), comm_.all_gather(std::vector{times_})};
  }

 private:
  /// Until the round is over: takes units, and finishes the tiles of which this rank had every unit.
  void compute_round() {
    const auto start = Clock::now();
    std::exception_ptr failure;
    try {
      do take_unit();
      while (!exhausted_ && seconds_since(start) < round_s_ && held_bytes() < control_.held_bytes);
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
    for (std::size_t part = unit.first_part; part < unit.last_part; ++part)
      held.features->add(model_, work_.part(part));
    if (++held.units == work_.units_per_tile()) finish(unit.tile);
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
    std::vector<std::int64_t> complete;
    for (const auto& [tile, holders] : holders_of_tiles()) {
      if (holders.units < work_.units_per_tile()) continue;
      gather(tile, holders);
      if (comm_.rank() == holders.owner) complete.push_back(tile);
    }
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

  std::map<std::int64_t, Holders> holders_of_tiles() const {
    std::vector<Holding> mine;
    for (const auto& [tile, held] : held_) mine.push_back({tile, held.units});
    std::map<std::int64_t, Holders> tiles;
    for (int rank = 0; const auto& holdings : comm_.all_gather_by_rank(mine)) {
      for (const Holding& holding : holdings) {
        Holders& holders = tiles[holding.tile];
        holders.ranks.push_back(rank);
        holders.units += holding.units;
        if (holding.units <= holders.most_units) continue;
        holders.most_units = holding.units;
        holders.owner = rank;
      }
      ++rank;
    }
    return tiles;
  }

  /// Ranks take the tiles in the same order, and each is sent or received as a whole: none can wait in a
  /// circle.
  void gather(std::int64_t tile, const Holders& holders) {
    const auto held = held_.find(tile);
    if (held == held_.end()) return;
    held->second.features->gather(comm_, holders.ranks, holders.owner);
    if (comm_.rank() != holders.owner) held_.erase(held);
  }

  /// Rounds of a hundred units keep the wait for the last unit below a percent.
  void plan_round() {
    constexpr double kUnitsPerRound = 100.0;
    const auto longest_us = static_cast<std::int64_t>(1e6 * longest_unit_s_);
    const double unit_s = 1e-6 * static_cast<double>(comm_.max(longest_us));
    round_s_ = std::clamp(kUnitsPerRound * unit_s, control_.shortest_round_s, control_.longest_round_s);
  }

  struct Held {
    std::unique_ptr<TileFeatures> features;
    std::int64_t units = 0;
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
  double round_s_;
  double longest_unit_s_ = 0.0;
  std::int64_t shown_ = 0;
  bool exhausted_ = false;
  RankTimes times_;
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
