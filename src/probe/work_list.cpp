#include "regulus/probe/work_list.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "regulus/probe/tile_work.h"

namespace regulus::probe {

namespace {

/// Work that no unit should exceed where its tile can be divided: some seconds of a processor core.
constexpr double kUnitFlops = 5e11;
/// Units per rank, at least, where tiles can be divided: enough of them before the smaller ones begin.
constexpr double kUnitsPerRank = 16.0;
/// The last units are so much smaller. They take over where every rank has about two of the others left, by
/// which time ranks are spread over the length of one.
constexpr double kFiner = 8.0, kUnitsAtTheEnd = 2.0;

std::vector<double> flops_of_parts(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                                   const storage::TileBlock& block, const std::vector<TilePart>& parts) {
  std::vector<double> flops;
  for (const TilePart& part : parts) flops.push_back(work_of_part(job, model, block, part).flops);
  return flops;
}

/// Consecutive parts in units of about equal work, none of which should exceed `unit_flops`.
std::vector<std::size_t> boundaries(const std::vector<double>& part_flops, double unit_flops) {
  const double all = std::accumulate(part_flops.begin(), part_flops.end(), 0.0);
  const auto most = static_cast<double>(part_flops.size());
  const double units = unit_flops > 0.0 ? std::clamp(std::ceil(all / unit_flops), 1.0, most) : most;
  std::vector<std::size_t> result{0};
  double before = 0.0;
  for (std::size_t part = 0; part + 1 < part_flops.size(); ++part) {
    before += part_flops[part];
    const double next = before + part_flops[part + 1];
    // The boundary lies where the work so far is nearest to a whole number of units.
    const double wanted = all / units * static_cast<double>(result.size());
    if (next - wanted > wanted - before) result.push_back(part + 1);
  }
  result.push_back(part_flops.size());
  return result;
}

}  // namespace

WorkList::WorkList(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                   std::vector<std::int64_t> tiles, int ranks)
    : parts_(parts_of_tile(job)), tiles_(std::move(tiles)) {
  const storage::TilePlan plan = job.plan();
  std::vector<std::pair<double, std::int64_t>> by_cost;
  for (const std::int64_t tile : tiles_)
    by_cost.emplace_back(-work_of_tile(job, model, plan.block(tile)).flops, tile);
  std::sort(by_cost.begin(), by_cost.end());
  std::transform(by_cost.begin(), by_cost.end(), tiles_.begin(),
                 [](const auto& item) { return item.second; });
  if (tiles_.empty()) return;
  std::vector<double> tile_flops;
  for (const auto& [negative, tile] : by_cost) tile_flops.push_back(-negative);
  divide(tile_flops, flops_of_parts(job, model, plan.block(tiles_.front()), parts_), model.has_value(),
         ranks);
}

void WorkList::divide(const std::vector<double>& tile_flops, const std::vector<double>& part_flops,
                      bool known, int ranks) {
  const double all = std::accumulate(tile_flops.begin(), tile_flops.end(), 0.0);
  const double longest = known ? kUnitFlops : std::numeric_limits<double>::infinity();
  const double share = all / ranks / kUnitsPerRank;
  coarse_ = boundaries(part_flops, ranks == 1 ? longest : std::min(longest, share));
  fine_ = coarse_;
  coarse_tiles_ = static_cast<std::int64_t>(tiles_.size());
  if (ranks == 1) return;
  const double unit = tile_flops.front() / static_cast<double>(units_of(coarse_));
  fine_ = boundaries(part_flops, unit / kFiner);
  for (double fine = 0.0; coarse_tiles_ > 0 && fine < kUnitsAtTheEnd * unit * ranks; --coarse_tiles_)
    fine += tile_flops[static_cast<std::size_t>(coarse_tiles_ - 1)];
}

std::int64_t WorkList::first_unit(std::int64_t place) const {
  const std::int64_t coarse = std::min(place, coarse_tiles_);
  return coarse * units_of(coarse_) + (place - coarse) * units_of(fine_);
}

std::int64_t WorkList::place_of(std::int64_t number) const {
  const std::int64_t coarse = coarse_tiles_ * units_of(coarse_);
  return number < coarse ? number / units_of(coarse_) : coarse_tiles_ + (number - coarse) / units_of(fine_);
}

WorkUnit WorkList::unit(std::int64_t number) const {
  const std::int64_t place = place_of(number);
  const Division& division = place < coarse_tiles_ ? coarse_ : fine_;
  const auto index = static_cast<std::size_t>(number - first_unit(place));
  return {tiles_[static_cast<std::size_t>(place)], division[index], division[index + 1]};
}

std::vector<TilePart> WorkList::parts_of(const WorkUnit& unit) const {
  const auto part = [&](std::size_t index) {
    return parts_.begin() + static_cast<std::vector<TilePart>::difference_type>(index);
  };
  return joined({part(unit.first_part), part(unit.last_part)});
}

double WorkList::flops(const WorkUnit& unit, const ProbeJob& job,
                       const std::optional<backbone::PassShape>& model) const {
  const storage::TileBlock block = job.plan().block(unit.tile);
  double sum = 0.0;
  for (const TilePart& part : parts_of(unit)) sum += work_of_part(job, model, block, part).flops;
  return sum;
}

std::int64_t WorkList::end_of_tile(std::int64_t number) const {
  return number == 0 ? 0 : first_unit(place_of(number - 1) + 1);
}

}  // namespace regulus::probe
