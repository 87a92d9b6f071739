#include "regulus/probe/tile_panel.h"

#include <fmt/format.h>

#include "regulus/core/error.h"

namespace regulus::probe {

TilePanel panel_of(const ProbeJob& job, std::int64_t tile) {
  TilePanel panel;
  panel.block = job.plan().block(tile);
  const std::int64_t begin = panel.block.target_begin;
  const std::int64_t end = begin + panel.block.target_count;
  const auto is_target = [&](std::int64_t gene) { return gene >= begin && gene < end; };
  const auto source = [&](std::int64_t s) {
    return job.sources[static_cast<std::size_t>(panel.block.source_begin + s)];
  };
  for (std::int64_t s = 0; s < panel.source_count(); ++s)
    if (!is_target(source(s))) panel.genes.push_back(source(s));
  panel.first_target = panel.length();
  std::int64_t place = 0;
  for (std::int64_t s = 0; s < panel.source_count(); ++s)
    panel.sources.push_back(is_target(source(s)) ? panel.first_target + source(s) - begin : place++);
  for (std::int64_t gene = begin; gene < end; ++gene) panel.genes.push_back(gene);
  return panel;
}

std::int64_t targets_within(std::int64_t genes, std::int64_t sources_per_tile, std::int64_t longest) {
  const std::int64_t most = longest - sources_per_tile;
  if (most < 1)
    throw OptionError(
        fmt::format("{} sources leave no room for targets in a panel of {} genes", sources_per_tile, longest),
        "--sources-per-tile", "use fewer sources per tile, or a longer --context");
  const std::int64_t blocks = (genes + most - 1) / most;
  return (genes + blocks - 1) / blocks;
}

std::vector<float> values_of_panel(const TilePanel& panel, const float* row) {
  std::vector<float> values;
  values.reserve(panel.genes.size());
  for (const std::int64_t gene : panel.genes) values.push_back(row[gene]);
  return values;
}

}  // namespace regulus::probe
