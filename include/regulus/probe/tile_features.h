#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/comm/communicator.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/probe/probe_job.h"
#include "regulus/probe/row_mean.h"

namespace regulus::probe {

struct State;

/// A tile's part of the work: its sources against some rows.
struct Unit {
  enum class Kind {
    Backgrounds,  ///< rows of the backgrounds: VVP, GDT, Attn
    Trajectory,   ///< values of the gradient grid: GDT with every gene at the value
    Cells,        ///< rows of the cells: OSG
    Mean          ///< the one row x̄: Pert
  };
  std::int64_t tile = 0;
  Kind kind = Kind::Backgrounds;
  std::int64_t begin = 0, end = 0;
};

/// Units of one tile, in a fixed order that depends on the job alone.
std::vector<Unit> units_of_tile(const ProbeJob& job, std::int64_t tile);

/// Features of one tile, summed over backgrounds and cells in any order and on any ranks with the same bits.
/// The responses are \see DESIGN: VVP, GDT, Pert and Attn of arXiv 2605.08128, and OSG.
class TileFeatures {
 public:
  TileFeatures(const ProbeJob& job, std::int64_t tile);

  /// Adds one unit of this tile. \throws ModelError on a response that is not finite, naming gene and
  /// background \collective no
  void add(const backbone::Backbone& model, const Unit& unit);

  /// The features by name, float32 [sources of the tile, G, width], on `owner`; empty elsewhere.
  /// \collective yes
  std::map<std::string, std::vector<float>> reduce(const comm::Communicator& comm, int owner);

 private:
  /// A state per source of the tile, at the value that the function gives for its position.
  template <typename ValueAt>
  std::vector<State> states(ValueAt value_at) const;
  void add_background(backbone::PanelPass& pass, const float* values, std::int64_t row);
  void add_attention(backbone::PanelPass& pass, std::int64_t row);
  void add_uniform(const backbone::Backbone& model, std::int64_t grid_index);
  void add_mean(backbone::PanelPass& pass);
  void add_cell(backbone::PanelPass& pass, const float* cell, std::int64_t row);

  const ProbeJob& job_;
  std::int64_t first_source_;
  std::int64_t source_count_;
  RowMean vvp_, gdt_, attn_, pert_;
  comm::ExactSum moments_;
};

}  // namespace regulus::probe
