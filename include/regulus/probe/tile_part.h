#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// A part of a tile's work: some or all of its sources against some rows.
struct TilePart {
  static constexpr std::int64_t kAllSources = std::numeric_limits<std::int64_t>::max();

  enum class Kind {
    Backgrounds,  ///< rows of the backgrounds: VVP, GDT, Attn
    Trajectory,   ///< values of the gradient grid: GDT with every gene at the value
    Cells,        ///< rows of the cells: OSG
    Mean          ///< the one row x̄: Pert
  };
  Kind kind = Kind::Backgrounds;
  std::int64_t begin = 0, end = 0;                          ///< rows
  std::int64_t source_begin = 0, source_end = kAllSources;  ///< of the tile, those that it has

  /// How many sources of a tile with `sources` are in this part.
  std::int64_t source_count(std::int64_t sources) const {
    return std::max<std::int64_t>(0, std::min(source_end, sources) - source_begin);
  }
};

inline constexpr std::array kTilePartKinds{TilePart::Kind::Backgrounds, TilePart::Kind::Trajectory,
                                           TilePart::Kind::Cells, TilePart::Kind::Mean};

/// The parts of every tile, in a fixed order that depends on the job alone: its rows, those of backgrounds
/// divided into ProbeJob::sources_per_part sources.
std::vector<TilePart> parts_of_tile(const ProbeJob& job);

/// The same work in as few parts as there can be: neighbours that share a row become one, and need its
/// primal pass once.
std::vector<TilePart> joined(const std::vector<TilePart>& parts);

}  // namespace regulus::probe
