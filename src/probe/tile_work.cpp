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

TileWork work_of_tile(const ProbeJob& job, const std::optional<backbone::PassShape>& model,
                      const storage::TileBlock& block) {
  const GridSizes grid(job);
  const auto sources = static_cast<double>(block.source_count);
  const auto backgrounds = job.needs_backgrounds() ? static_cast<double>(job.backgrounds->count()) : 0.0;
  const auto cells = job.osg ? static_cast<double>(job.cells->count()) : 0.0;
  const auto values = job.gdt && job.uniform ? static_cast<double>(job.gradient_grid.size()) : 0.0;
  const double pert = job.pert ? 1.0 : 0.0;
  const double reference = job.vvp && !job.reference_is_background ? 1.0 : 0.0;
  TileWork work;
  work.primal = backgrounds * (job.attn ? 2.0 : 1.0) + cells + values + pert;
  work.forward = sources * (backgrounds * (grid.forward + reference) + pert);
  work.dual = sources * backgrounds * grid.dual;
  work.tangent = sources * (cells + values);
  const backbone::PassShape shape = shape_of(job, model, block);
  work.flops =
      work.primal * backbone::primal_flops(shape) + work.forward * backbone::forward_pass_flops(shape) +
      work.dual * backbone::dual_pass_flops(shape) + work.tangent * backbone::tangent_pass_flops(shape);
  return work;
}

TileWork work_of_job(const ProbeJob& job, const std::optional<backbone::PassShape>& model) {
  const storage::TilePlan plan = job.plan();
  TileWork work;
  for (std::int64_t tile = 0; tile < plan.count(); ++tile) work += work_of_tile(job, model, plan.block(tile));
  return work;
}

}  // namespace regulus::probe
