#pragma once

#include <optional>

#include "regulus/backbone/work.h"
#include "regulus/probe/probe_job.h"
#include "regulus/probe/tile_part.h"

namespace regulus::probe {

/// What tiles cost: passes through the model by kind (backbone/work.h) and the floating point operations that
/// they need.
struct TileWork {
  double primal = 0.0;   ///< panels opened over a background or a cell
  double forward = 0.0;  ///< states of vvp and pert
  double dual = 0.0;     ///< states of gdt, and of vvp where the grids meet
  double tangent = 0.0;  ///< sources of osg and of uniform gdt
  double flops = 0.0;

  double passes() const { return primal + forward + dual + tangent; }
  TileWork& operator+=(const TileWork& other);
};

/// The work of some rows of one kind against a tile's sources.
/// \param model the model's sizes (Backbone::pass_shape()); nothing: flops are those of some small model, of
/// use only to compare tiles
TileWork work_of_rows(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                      const storage::TileBlock& block, TilePart::Kind kind, std::int64_t rows);

/// The rows of a kind that every tile has.
std::int64_t rows_of_tile(const ProbeJob& job, TilePart::Kind kind);

/// The work of a part.
TileWork work_of_part(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                      const storage::TileBlock& block, const TilePart& part);

/// Sources per part that let ranks share the work of the job's tiles well, without computing much more than
/// undivided tiles would: what ProbeJob::sources_per_part should be. It depends on the job and the model.
std::int64_t sources_of_part(const ProbeJob& job, const std::optional<backbone::PassShape>& model);

/// All parts of a tile.
TileWork work_of_tile(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                      const storage::TileBlock& block);

/// Of every tile of the job's plan.
TileWork work_of_job(const ProbeJob& job, const std::optional<backbone::PassShape>& model);

}  // namespace regulus::probe
