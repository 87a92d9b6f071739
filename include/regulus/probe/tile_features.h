#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/comm/communicator.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// A tile's part of the work: its sources against some rows of the backgrounds and of the cells.
struct Unit {
  std::int64_t tile = 0;
  std::int64_t background_begin = 0, background_end = 0;
  std::int64_t cell_begin = 0, cell_end = 0;
};

/// Units of one tile, in a fixed order that depends on the job alone.
std::vector<Unit> units_of_tile(const ProbeJob& job, std::int64_t tile);

/// Features of one tile, summed over backgrounds and cells in any order and on any ranks with the same bits
/// (exact sums). The responses are \see DESIGN: VVP and GDT of arXiv 2605.08128, and OSG.
class TileFeatures {
 public:
  TileFeatures(const ProbeJob& job, std::int64_t tile);

  /// Adds one unit of this tile. \throws ModelError on a response that is not finite, naming gene and
  /// background \collective no
  void add(const backbone::Backbone& model, const Unit& unit);

  /// The features by probe name, float32 [sources of the tile, G, width], on `owner`; empty elsewhere.
  /// \collective yes
  std::map<std::string, std::vector<float>> reduce(const comm::Communicator& comm, int owner);

 private:
  void add_grids(backbone::PanelPass& pass, std::int64_t row);
  void add_observed(backbone::PanelPass& pass, std::int64_t row);

  const ProbeJob& job_;
  std::int64_t first_source_;
  std::int64_t source_count_;
  comm::ExactSum vvp_, gdt_, moments_;
};

}  // namespace regulus::probe
