#include "regulus/probe/tile_work.h"

#include <algorithm>
#include <set>

namespace regulus::probe {

namespace {

/// Values of the merged grid: those with a derivative, and those of vvp alone.
struct GridSizes {
  explicit GridSizes(const ProbeJob& job) {
    std::set<double> derived;
    if (job.gdt_on_backgrounds()) derived.insert(job.gradient_grid.begin(), job.gradient_grid.end());
    std::set<double> plain;
    if (job.vvp) plain.insert(job.perturbation_grid.begin(), job.perturbation_grid.end());
    dual = static_cast<double>(derived.size());
    forward = static_cast<double>(
        std::count_if(plain.begin(), plain.end(), [&](double value) { return !derived.contains(value); }));
  }
  double dual = 0.0, forward = 0.0;
};

std::int64_t panel_length(const ProbeJob& job, const storage::TileBlock& block) {
  const auto outside = [&](std::int64_t source) {
    return source < block.target_begin || source >= block.target_begin + block.target_count;
  };
  const auto first = job.sources.begin() + block.source_begin;
  return block.target_count + std::count_if(first, first + block.source_count, outside) +
         (job.cls_id ? 1 : 0);
}

backbone::PassShape shape_of(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                             const storage::TileBlock& block) {
  backbone::PassShape shape = model.value_or(backbone::PassShape{64, 128, 1, 2, 0, 0});
  shape.length = panel_length(job, block);
  shape.targets = block.target_count;
  return shape;
}

}  // namespace

TileWork& TileWork::operator+=(const TileWork& other) {
  primal += other.primal;
  forward += other.forward;
  dual += other.dual;
  tangent += other.tangent;
  flops += other.flops;
  return *this;
}

std::int64_t rows_of_tile(const ProbeJob& job, TilePart::Kind kind) {
  switch (kind) {
    case TilePart::Kind::Backgrounds:
      return job.needs_backgrounds() ? job.backgrounds->count() : 0;
    case TilePart::Kind::Trajectory:
      return job.gdt && job.uniform ? static_cast<std::int64_t>(job.gradient_grid.size()) : 0;
    case TilePart::Kind::Cells:
      return job.osg ? job.cells->count() : 0;
    case TilePart::Kind::Mean:
      return job.pert ? 1 : 0;
  }
  return 0;
}

TileWork work_of_rows(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                      const storage::TileBlock& block, TilePart::Kind kind, std::int64_t rows) {
  return work_of_part(job, model, block, {kind, 0, rows});
}

TileWork work_of_part(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                      const storage::TileBlock& block, const TilePart& part) {
  const std::int64_t sources = part.source_count(block.source_count);
  const auto n = static_cast<double>(sources == 0 ? 0 : part.end - part.begin);
  const double states = n * static_cast<double>(sources);
  TileWork work;
  work.primal = n;
  switch (part.kind) {
    case TilePart::Kind::Backgrounds: {
      const GridSizes grid(job);
      const double reference = job.vvp && !job.reference_is_background ? 1.0 : 0.0;
      work.primal += job.attn ? n : 0.0;
      work.forward = states * (grid.forward + reference);
      work.dual = states * grid.dual;
      break;
    }
    case TilePart::Kind::Trajectory:
    case TilePart::Kind::Cells:
      work.tangent = states;
      break;
    case TilePart::Kind::Mean:
      work.forward = states;
      break;
  }
  const backbone::PassShape shape = shape_of(job, model, block);
  work.flops =
      work.primal * backbone::primal_flops(shape) + work.forward * backbone::forward_pass_flops(shape) +
      work.dual * backbone::dual_pass_flops(shape) + work.tangent * backbone::tangent_pass_flops(shape);
  return work;
}

std::int64_t sources_of_part(const ProbeJob& job, const std::optional<backbone::PassShape>& model) {
  // A unit of the work list is half a teraflop, where parts are that small; and tiles of few rows should have
  // some parts.
  constexpr double kPartFlops = 5e11, kPartsPerTile = 4.0;
  constexpr double kMostRepeated = 0.03;
  const storage::TileBlock block = job.plan().block(0);
  const auto rows = rows_of_tile(job, TilePart::Kind::Backgrounds);
  if (!model || rows == 0) return job.sources_per_tile;
  const auto flops = [&](std::int64_t sources) {
    return work_of_part(job, model, block, {TilePart::Kind::Backgrounds, 0, 1, 0, sources}).flops;
  };
  const double row = flops(block.source_count);
  const double wanted = std::min(kPartFlops, row * static_cast<double>(rows) / kPartsPerTile);
  std::int64_t sources = job.sources_per_tile;
  const auto repeated = [&](std::int64_t fewer) {
    return flops(fewer) * static_cast<double>(block.source_count) / static_cast<double>(fewer) / row - 1.0;
  };
  while (sources > 1 && flops(sources) > wanted && repeated(sources / 2) <= kMostRepeated) sources /= 2;
  return sources;
}

TileWork work_of_tile(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                      const storage::TileBlock& block) {
  TileWork work;
  for (const TilePart::Kind kind : kTilePartKinds)
    work += work_of_rows(job, model, block, kind, rows_of_tile(job, kind));
  return work;
}

TileWork work_of_job(const ProbeJob& job, const std::optional<backbone::PassShape>& model) {
  const storage::TilePlan plan = job.plan();
  TileWork work;
  for (std::int64_t tile = 0; tile < plan.count(); ++tile) work += work_of_tile(job, model, plan.block(tile));
  return work;
}

}  // namespace regulus::probe
