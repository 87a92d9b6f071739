#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace regulus::probe {

/// What one rank holds of a tile.
struct TileHolder {
  int rank = 0;
  std::int64_t parts = 0;
};

/// Who gathers the tiles that several ranks hold parts of: of those with most parts the one that gathers
/// fewest tiles so far. Every rank asks for the same tiles in the same order, and so gets the same answers.
class TileOwners {
 public:
  explicit TileOwners(int ranks) : owned_(static_cast<std::size_t>(ranks), 0) {}

  /// \param holders of one tile, at least one
  int owner_of(const std::vector<TileHolder>& holders) {
    const auto best =
        std::min_element(holders.begin(), holders.end(), [this](const TileHolder& a, const TileHolder& b) {
          return a.parts != b.parts ? a.parts > b.parts : owned(a.rank) < owned(b.rank);
        });
    ++owned(best->rank);
    return best->rank;
  }

 private:
  std::int64_t& owned(int rank) { return owned_[static_cast<std::size_t>(rank)]; }

  std::vector<std::int64_t> owned_;
};

}  // namespace regulus::probe
