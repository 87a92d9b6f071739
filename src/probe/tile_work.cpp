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
  const auto n = static_cast<double>(rows);
  const double states = n * static_cast<double>(block.source_count);
  TileWork work;
  work.primal = n;
  switch (kind) {
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
