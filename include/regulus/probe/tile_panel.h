#pragma once

#include <cstdint>
#include <vector>

#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// The panel of one tile: L genes that the model sees together, its sources and its targets among them, a
/// gene that is both once.
struct TilePanel {
  storage::TileBlock block;
  std::vector<std::int64_t> genes;    ///< [L] as numbers of the job's genes: the targets come last
  std::vector<std::int64_t> sources;  ///< [sources of the block] their places in `genes`
  std::int64_t first_target = 0;      ///< of the block's targets, the place in `genes`

  std::int64_t length() const { return static_cast<std::int64_t>(genes.size()); }
  std::int64_t source_count() const { return block.source_count; }
  std::int64_t target_count() const { return block.target_count; }
};

/// The panel of a tile of the job's plan: where all targets are in one tile, all genes in their order.
TilePanel panel_of(const ProbeJob& job, std::int64_t tile);

/// Targets per tile of the plan `tiled`: as few blocks as keep panels within `longest` genes, of even size.
/// \param longest genes of a panel \throws OptionError if the sources of a tile leave no room for targets
std::int64_t targets_within(std::int64_t genes, std::int64_t sources_per_tile, std::int64_t longest);

/// The panel's values of a row of the job. \param row [genes of the job] \return [L]
std::vector<float> values_of_panel(const TilePanel& panel, const float* row);

}  // namespace regulus::probe
