#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/comm/communicator.h"
#include "regulus/core/progress.h"
#include "regulus/probe/probe_job.h"
#include "regulus/probe/round_rule.h"
#include "regulus/storage/feature_store.h"

namespace regulus::probe {

using StoredTile = storage::FeatureStoreWriter::Tile;

/// How a run is watched and stopped, and what becomes of its tiles. No function may communicate.
struct RunControl {
  Progress& progress;  ///< counts the units that all ranks took

  /// Whether this rank was asked to stop, or would be before another `seconds` have passed. Looked at between
  /// units.
  std::function<bool(double seconds)> stop_requested = [](double) { return false; };

  /// Makes what the store keeps of a tile's features; called on the one rank that has them.
  std::function<StoredTile(StoredTile)> finish = [](StoredTile tile) { return tile; };

  /// Limits of a round, the time between two collective writes: within them it is as long as makes the wait
  /// for the slowest unit unimportant.
  double shortest_round_s = RoundRule::kShortest_s, longest_round_s = RoundRule::kLongest_s;
  std::size_t held_bytes = kHeldBytes;
};

/// Where a rank's time went.
struct RankTimes {
  double compute_s = 0.0;
  double wait_s = 0.0;      ///< for the last units of the other ranks, at the end of the rounds
  double exchange_s = 0.0;  ///< of partial sums, until every tile of the round is finished on one rank
  double write_s = 0.0;     ///< collective output
};

/// What a rank's units took, for predictions (docs/scaling.md).
struct UnitTimes {
  std::int64_t count = 0;
  double flops = 0.0;    ///< of all of them, \see TileWork
  double seconds = 0.0;  ///< the same
  double spread = 0.0;   ///< standard deviation of the units' seconds per operation, over their mean
};

struct RunResult {
  bool complete = false;         ///< false if the run was stopped before the last tile
  std::vector<RankTimes> times;  ///< of every rank
  std::vector<UnitTimes> units;  ///< of every rank
};

/// Computes every tile that the store does not have and writes it. Ranks take units (some parts of a tile)
/// from a one-sided counter; parts of a tile that several ranks hold meet on one of them; in rounds, all
/// ranks write what is finished in one collective transfer. When any rank is asked to stop, all finish the
/// tiles that were begun and write them. The features depend on the job and the model alone. \throws the same
/// error on every rank \collective yes
RunResult run(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
              storage::FeatureStoreWriter& store, const RunControl& control);

/// Units that run() makes of what is left to do, for Progress.
std::int64_t units_left(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
                        const storage::FeatureStoreWriter& store);

}  // namespace regulus::probe
