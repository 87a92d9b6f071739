#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// A part of a tile's work: its sources against some rows.
struct TilePart {
  enum class Kind {
    Backgrounds,  ///< rows of the backgrounds: VVP, GDT, Attn
    Trajectory,   ///< values of the gradient grid: GDT with every gene at the value
    Cells,        ///< rows of the cells: OSG
    Mean          ///< the one row x̄: Pert
  };
  Kind kind = Kind::Backgrounds;
  std::int64_t begin = 0, end = 0;
};

inline constexpr std::array kTilePartKinds{TilePart::Kind::Backgrounds, TilePart::Kind::Trajectory,
                                           TilePart::Kind::Cells, TilePart::Kind::Mean};

/// The parts of every tile, in a fixed order that depends on the job alone.
std::vector<TilePart> parts_of_tile(const ProbeJob& job);

}  // namespace regulus::probe
