#include "regulus/probe/tile_part.h"

#include <algorithm>

#include "regulus/probe/tile_work.h"

namespace regulus::probe {

namespace {

/// Rows of backgrounds: each is divided by sources.
void add_backgrounds(const ProbeJob& job, std::int64_t rows, std::vector<TilePart>& parts) {
  const std::int64_t step = std::min(job.sources_per_part, job.sources_per_tile);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t source = 0; source < job.sources_per_tile; source += step)
      parts.push_back(
          {TilePart::Kind::Backgrounds, row, row + 1, source, std::min(source + step, job.sources_per_tile)});
}

}  // namespace

std::vector<TilePart> parts_of_tile(const ProbeJob& job) {
  std::vector<TilePart> parts;
  for (const TilePart::Kind kind : kTilePartKinds) {
    const std::int64_t rows = rows_of_tile(job, kind);
    if (kind == TilePart::Kind::Backgrounds)
      add_backgrounds(job, rows, parts);
    else
      for (std::int64_t row = 0; row < rows; ++row) parts.push_back({kind, row, row + 1});
  }
  if (parts.empty()) parts.push_back({TilePart::Kind::Backgrounds, 0, 0});  // emb alone needs no pass
  return parts;
}

std::vector<TilePart> joined(const std::vector<TilePart>& parts) {
  std::vector<TilePart> result;
  for (const TilePart& part : parts) {
    const bool same_row = !result.empty() && result.back().kind == part.kind &&
                          result.back().begin == part.begin && result.back().end == part.end &&
                          result.back().source_end == part.source_begin;
    if (same_row)
      result.back().source_end = part.source_end;
    else
      result.push_back(part);
  }
  return result;
}

}  // namespace regulus::probe
