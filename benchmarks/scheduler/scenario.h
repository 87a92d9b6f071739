#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "regulus/backbone/work.h"
#include "regulus/probe/probe_job.h"
#include "simulation.h"

namespace regulus::scheduler {

/// A job and the machine it runs on, as docs/scaling.md describes the file.
struct Scenario {
  std::string name;
  probe::ProbeJob job;  ///< its genes have no names and its rows no values: only how many there are counts
  backbone::PassShape model;
  Machine machine;
  probe::RoundRule rounds;
  double stored_width = 1.0;  ///< numbers that are stored for a pair
  double start_s = 0.0;       ///< until ranks take units: programs, libraries, model, cells
  double model_bytes = 0.0;   ///< broadcast at the start
  double end_pair_s = 0.0;    ///< to rank a pair's score, shared by all ranks
};

/// \throws InputError naming the entry that is missing or no number
Scenario scenario_from(const nlohmann::json& json);

/// The first sources of the scenario, as many as asked for.
Scenario with_sources(Scenario scenario, std::int64_t sources);

/// The units that `ranks` ranks would share out: those of probe::WorkList.
Work work_of(const Scenario& scenario, int ranks);

/// Times of the phases, the efficiency and where the rest went, as shares of all ranks' time.
nlohmann::json predict(const Scenario& scenario, int ranks, std::uint64_t seed);

}  // namespace regulus::scheduler
