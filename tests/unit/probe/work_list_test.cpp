// How the work of tiles is divided: every part of every tile in one unit, the costliest tiles first.
#include "probe/work_list.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "regulus/probe/tile_work.h"
#include "support/tiny_job.h"

namespace {

using namespace regulus;

class WorkListTest : public ::testing::Test {
 protected:
  WorkListTest() : job_(test::tiny_job(test::tiny_model(11, 21), 5, 9)) { job_.targets_per_tile = 4; }

  std::vector<std::int64_t> all_tiles() const {
    std::vector<std::int64_t> tiles;
    for (std::int64_t tile = 0; tile < job_.plan().count(); ++tile) tiles.push_back(tile);
    return tiles;
  }

  probe::ProbeJob job_;
};

TEST_F(WorkListTest, EveryPartOfEveryTileIsInOneUnitWhateverTheRanks) {
  const auto parts = probe::parts_of_tile(job_).size();
  for (const int ranks : {1, 2, 3, 7, 64}) {
    const probe::WorkList work(job_, std::nullopt, all_tiles(), ranks);
    std::map<std::int64_t, std::multiset<std::size_t>> seen;
    for (std::int64_t number = 0; number < work.size(); ++number) {
      const probe::WorkUnit unit = work.unit(number);
      EXPECT_LT(unit.first_part, unit.last_part);
      for (std::size_t part = unit.first_part; part < unit.last_part; ++part) seen[unit.tile].insert(part);
    }
    EXPECT_EQ(seen.size(), all_tiles().size());
    for (const auto& [tile, found] : seen) {
      EXPECT_EQ(found.size(), parts) << "tile " << tile << " on " << ranks << " ranks";
      EXPECT_EQ(std::set<std::size_t>(found.begin(), found.end()).size(), parts);
    }
  }
}

TEST_F(WorkListTest, FewTilesAreDividedForManyRanks) {
  EXPECT_EQ(probe::WorkList(job_, std::nullopt, {0}, 1).units_per_tile(), 1);
  EXPECT_EQ(probe::WorkList(job_, std::nullopt, {0}, 64).units_per_tile(),
            static_cast<std::int64_t>(probe::parts_of_tile(job_).size()));
}

TEST_F(WorkListTest, CostlyTilesComeFirst) {
  const probe::WorkList work(job_, std::nullopt, all_tiles(), 1);
  double before = std::numeric_limits<double>::infinity();
  for (std::int64_t number = 0; number < work.size(); ++number) {
    const double cost =
        probe::work_of_tile(job_, std::nullopt, job_.plan().block(work.unit(number).tile)).flops;
    EXPECT_LE(cost, before);
    before = cost;
  }
  EXPECT_LT(before, probe::work_of_tile(job_, std::nullopt, job_.plan().block(0)).flops);
}

TEST_F(WorkListTest, TilesEndWhereTheNextBegins) {
  const probe::WorkList work(job_, std::nullopt, all_tiles(), 64);
  const std::int64_t units = work.units_per_tile();
  ASSERT_GT(units, 1);
  EXPECT_EQ(work.end_of_tile(0), 0);
  EXPECT_EQ(work.end_of_tile(1), units);
  EXPECT_EQ(work.end_of_tile(units), units);
  EXPECT_NE(work.unit(units - 1).tile, work.unit(units).tile);
}

TEST_F(WorkListTest, NothingLeftIsNoUnit) {
  EXPECT_EQ(probe::WorkList(job_, std::nullopt, {}, 4).size(), 0);
}

TEST_F(WorkListTest, PassesAreCountedAsTheFeaturesAreDefined) {
  const storage::TileBlock block{0, 2, 0, 4};
  job_.attn = false;
  const probe::TileWork work = probe::work_of_tile(job_, std::nullopt, block);
  // The gradient grid {0, 3} is dual; of {1.5, 3, 6}, 1.5 and 6 are not in it, and v_b is a third forward
  // pass.
  EXPECT_EQ(work.dual, 9 * 2 * 2);
  EXPECT_EQ(work.forward, 9 * 2 * (2 + 1) + 2);
  EXPECT_EQ(work.tangent, 10 * 2);
  EXPECT_EQ(work.primal, 9 + 10 + 1);
  job_.reference_is_background = true;
  EXPECT_EQ(probe::work_of_tile(job_, std::nullopt, block).forward, 9 * 2 * 2 + 2);
}

}  // namespace
