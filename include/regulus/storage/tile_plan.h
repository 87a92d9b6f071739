#pragma once

#include <cstdint>

namespace regulus::storage {

/// A tile: consecutive sources x consecutive targets.
struct TileBlock {
  std::int64_t source_begin = 0, source_count = 0;
  std::int64_t target_begin = 0, target_count = 0;

  std::int64_t pairs() const { return source_count * target_count; }
};

/// How S sources x G targets are cut into tiles: every pair is in exactly one. Tiles count through the target
/// blocks of the first source block, then through those of the next; the last block of either kind may be
/// smaller. The plan never depends on the ranks.
struct TilePlan {
  std::int64_t sources = 0, targets = 0;
  std::int64_t sources_per_tile = 1;
  std::int64_t targets_per_tile = 0;  ///< 0: all targets in one tile

  std::int64_t source_blocks() const;
  std::int64_t target_blocks() const;
  std::int64_t count() const { return source_blocks() * target_blocks(); }
  TileBlock block(std::int64_t tile) const;
};

}  // namespace regulus::storage
