#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "regulus/backbone/work.h"
#include "regulus/probe/probe_job.h"
#include "regulus/probe/tile_part.h"

namespace regulus::probe {

/// What one rank takes at a time: some parts of one tile.
struct WorkUnit {
  std::int64_t tile = 0;
  std::size_t first_part = 0, last_part = 0;  ///< of parts_of_tile(), the last not included
};

/// The work of some tiles as numbered units, the costliest tiles first, the units of a tile one after the
/// other. The last tiles are divided more finely, so that ranks end together. How finely tiles are divided
/// may depend on the ranks: sums over parts have the same bits however the parts are grouped.
class WorkList {
 public:
  /// \param tiles those to compute
  WorkList(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
           std::vector<std::int64_t> tiles, int ranks);

  std::int64_t size() const { return first_unit(static_cast<std::int64_t>(tiles_.size())); }
  WorkUnit unit(std::int64_t number) const;
  /// The first unit of the next tile after `number` units.
  std::int64_t end_of_tile(std::int64_t number) const;

  std::int64_t parts_per_tile() const { return static_cast<std::int64_t>(parts_.size()); }
  /// What there is to compute for a unit, \see joined().
  std::vector<TilePart> parts_of(const WorkUnit& unit) const;
  /// Operations of a unit. \param job, model those of the list
  double flops(const WorkUnit& unit, const ProbeJob& job,
               const std::optional<backbone::PassShape>& model) const;

 private:
  /// Where the units of a tile begin and end among its parts: one more boundary than units.
  using Division = std::vector<std::size_t>;
  static std::int64_t units_of(const Division& division) {
    return static_cast<std::int64_t>(division.size()) - 1;
  }

  void divide(const std::vector<double>& tile_flops, const std::vector<double>& part_flops, bool known,
              int ranks);
  std::int64_t first_unit(std::int64_t place) const;
  std::int64_t place_of(std::int64_t number) const;

  std::vector<TilePart> parts_;
  std::vector<std::int64_t> tiles_;
  std::int64_t coarse_tiles_ = 0;  ///< the first so many of tiles_
  Division coarse_{0, 1}, fine_{0, 1};
};

}  // namespace regulus::probe
