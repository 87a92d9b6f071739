#include "regulus/storage/tile_plan.h"

#include <algorithm>

namespace regulus::storage {

namespace {

std::int64_t blocks(std::int64_t items, std::int64_t per_block) {
  return items == 0 ? 0 : (items + per_block - 1) / per_block;
}

std::int64_t step(const TilePlan& plan) {
  return plan.targets_per_tile == 0 ? std::max<std::int64_t>(plan.targets, 1) : plan.targets_per_tile;
}

}  // namespace

std::int64_t TilePlan::source_blocks() const {
  return blocks(sources, sources_per_tile);
}

std::int64_t TilePlan::target_blocks() const {
  return blocks(targets, step(*this));
}

TileBlock TilePlan::block(std::int64_t tile) const {
  TileBlock result;
  result.source_begin = tile / target_blocks() * sources_per_tile;
  result.source_count = std::min(sources_per_tile, sources - result.source_begin);
  result.target_begin = tile % target_blocks() * step(*this);
  result.target_count = std::min(step(*this), targets - result.target_begin);
  return result;
}

}  // namespace regulus::storage
