#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "regulus/backbone/work.h"
#include "regulus/probe/probe_job.h"
#include "regulus/probe/tile_features.h"

namespace regulus::probe {

/// What one rank takes at a time: some parts of one tile.
struct WorkUnit {
  std::int64_t tile = 0;
  std::size_t first_part = 0, last_part = 0;  ///< of parts_of_tile(), the last not included
};

/// The work of some tiles as numbered units, the costliest tiles first, the units of a tile one after the
/// other. How finely tiles are divided may depend on the ranks: sums over parts have the same bits however
/// the parts are grouped.
class WorkList {
 public:
  /// \param tiles those to compute
  WorkList(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
           std::vector<std::int64_t> tiles, int ranks);

  std::int64_t size() const { return static_cast<std::int64_t>(tiles_.size()) * units_per_tile_; }
  std::int64_t units_per_tile() const { return units_per_tile_; }
  WorkUnit unit(std::int64_t number) const;
  /// The first unit of the next tile after `number` units.
  std::int64_t end_of_tile(std::int64_t number) const;
  const TilePart& part(std::size_t index) const { return parts_[index]; }

 private:
  std::vector<TilePart> parts_;
  std::vector<std::int64_t> tiles_;
  std::int64_t units_per_tile_ = 1;
};

}  // namespace regulus::probe
