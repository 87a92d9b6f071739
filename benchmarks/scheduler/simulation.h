#pragma once

#include <cstdint>
#include <vector>

#include "regulus/probe/round_rule.h"

namespace regulus::scheduler {

/// What a run has to do, as ranks see it.
struct Work {
  /// What a rank takes at a time.
  struct Unit {
    std::int64_t tile = 0;
    std::int64_t parts = 1;
    double flops = 0.0;
  };
  std::vector<Unit> units;  ///< in the order in which the counter hands them out
  std::int64_t parts_per_tile = 1;
  double sum_bytes = 0.0;     ///< of a tile's sums, held while a part of it is missing
  double stored_bytes = 0.0;  ///< of a finished tile
};

/// What it is done with. Times in seconds, sizes in bytes; costs that are left at 0 are free.
struct Machine {
  double flops_per_s = 1.0;  ///< of a rank
  double unit_spread = 0.0;  ///< standard deviation of the units' seconds per operation, over their mean
  double rank_spread = 0.0;  ///< the same of the ranks' speeds, whose mean is flops_per_s
  double finish_s = 0.0;     ///< to turn a tile's sums into what is stored

  double take_latency_s = 0.0;  ///< of one taking of a number, on the network
  double take_service_s = 0.0;  ///< of the counter's memory, which serves one after the other

  double message_s = 0.0;     ///< latency of a message between two ranks
  double byte_s = 0.0;        ///< of a byte between two ranks, while all ranks of a host send
  double sum_byte_s = 0.0;    ///< of a byte that is added to a tile's sums
  double collective_s = 0.0;  ///< of a collective call, whatever the ranks
  double level_s = 0.0;       ///< the same for every doubling of the ranks
  double holding_s = 0.0;     ///< to note that a rank holds a part of a tile: every rank notes all

  double tile_write_s = 0.0;  ///< of the call that writes a tile, on its rank
  double file_byte_s = 0.0;   ///< of a byte, all ranks together
};

/// What became of the ranks' time: seconds, summed over the ranks.
struct Losses {
  double counter = 0.0;   ///< takings
  double idle = 0.0;      ///< waiting for the last units of others, at the end of rounds
  double exchange = 0.0;  ///< gathering parts of tiles, waiting for it included
  double write = 0.0;

  double total() const { return counter + idle + exchange + write; }
};

struct Outcome {
  double wall_s = 0.0;
  double compute_s = 0.0;  ///< summed over ranks: units and the finishing of tiles
  Losses losses;
  std::int64_t rounds = 0;
  std::int64_t gathered_tiles = 0;  ///< that several ranks had parts of
};

/// Plays a run event by event: ranks take units from the counter, meet in rounds as `rule` says, bring the
/// parts of tiles together and write. The same for the same seed. \collective no
Outcome simulate(const Work& work, const Machine& machine, probe::RoundRule rule, int ranks,
                 std::uint64_t seed);

}  // namespace regulus::scheduler
