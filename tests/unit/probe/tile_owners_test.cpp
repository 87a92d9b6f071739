// Which rank gathers a tile.
#include "regulus/probe/tile_owners.h"

#include <gtest/gtest.h>

namespace {

using regulus::probe::TileOwners;

TEST(TileOwners, TheRankWithMostPartsGathers) {
  TileOwners owners(4);
  EXPECT_EQ(owners.owner_of({{0, 1}, {2, 3}, {3, 2}}), 2);
  EXPECT_EQ(owners.owner_of({{0, 1}, {2, 3}, {3, 2}}), 2);
  EXPECT_EQ(owners.owner_of({{1, 1}}), 1);
}

TEST(TileOwners, RanksWithEquallyManyTakeTurns) {
  TileOwners owners(3);
  std::vector<int> found;
  for (int tile = 0; tile < 6; ++tile) found.push_back(owners.owner_of({{0, 2}, {1, 2}, {2, 2}}));
  EXPECT_EQ(found, (std::vector<int>{0, 1, 2, 0, 1, 2}));
}

}  // namespace
