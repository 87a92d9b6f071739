#include "regulus/probe/tile_part.h"

#include <algorithm>

#include "regulus/probe/tile_work.h"

namespace regulus::probe {

std::vector<TilePart> parts_of_tile(const ProbeJob& job) {
  std::vector<TilePart> parts;
  for (const TilePart::Kind kind : kTilePartKinds) {
    const std::int64_t rows = rows_of_tile(job, kind);
    for (std::int64_t begin = 0; begin < rows; begin += job.rows_per_part)
      parts.push_back({kind, begin, std::min(begin + job.rows_per_part, rows)});
  }
  if (parts.empty()) parts.push_back({TilePart::Kind::Backgrounds, 0, 0});  // emb alone needs no pass
  return parts;
}

}  // namespace regulus::probe
