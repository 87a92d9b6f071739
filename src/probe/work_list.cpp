#include "work_list.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "regulus/probe/tile_work.h"

namespace regulus::probe {

namespace {

/// Work that no unit should exceed where its tile can be divided: some seconds of a processor core.
constexpr double kUnitFlops = 5e11;
/// Units per rank that keep the wait for the last of them short.
constexpr double kUnitsPerRank = 8.0;

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
  const double for_ranks = kUnitsPerRank * ranks / static_cast<double>(tiles_.size());
  const double for_length = model ? -by_cost.front().first / kUnitFlops : 1.0;
  const double most = static_cast<double>(parts_.size());
  const double wanted = ranks == 1 ? for_length : std::max(for_ranks, for_length);
  units_per_tile_ = static_cast<std::int64_t>(std::clamp(std::ceil(wanted), 1.0, most));
}

WorkUnit WorkList::unit(std::int64_t number) const {
  const auto parts = static_cast<std::int64_t>(parts_.size());
  const std::int64_t index = number % units_per_tile_;
  const auto boundary = [&](std::int64_t i) { return static_cast<std::size_t>(i * parts / units_per_tile_); };
  return {tiles_[static_cast<std::size_t>(number / units_per_tile_)], boundary(index), boundary(index + 1)};
}

std::int64_t WorkList::end_of_tile(std::int64_t number) const {
  return (number + units_per_tile_ - 1) / units_per_tile_ * units_per_tile_;
}

}  // namespace regulus::probe
