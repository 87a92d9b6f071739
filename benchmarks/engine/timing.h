#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "machine.h"
#include "regulus/comm/communicator.h"
#include "workload.h"

namespace regulus::benchmark {

/// A probe of one panel: every source at every grid value, in batches of states.
struct Timing {
  Shape shape;
  std::string precision = "float32";
  Probe probe = Probe::Dual;
  std::int64_t sources = 1;
  std::int64_t grid = 8;    ///< values per source; Probe::Tangents has none
  std::int64_t batch = 8;   ///< states of one pass
  double seconds = 1.0;     ///< sweeps are repeated for about that long
  std::int64_t sweeps = 2;  ///< the fewest
  Clock clock = Clock::Wall;
  bool products = true;  ///< whether the rate of matrix products is measured between the sweeps
};

/// Times the sweeps, after one pass of a single state. The batches are dealt out to the ranks in turn; the
/// slowest rank counts.
/// \return states, flops_per_state, best_s and median_s of a sweep, sweeps, gflops (of the best), gemm_gflops
/// (0 if not measured), before_bytes (peak memory before the panel is opened), peak_bytes
/// \collective yes
nlohmann::json time_sweeps(const comm::Communicator& world, const Timing& timing);

}  // namespace regulus::benchmark
