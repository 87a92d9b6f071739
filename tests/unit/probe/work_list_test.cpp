// How the work of tiles is divided: every part of every tile in one unit, the costliest tiles first.
#include "regulus/probe/work_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
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
  EXPECT_EQ(probe::WorkList(job_, std::nullopt, {0}, 1).size(), 1);
  EXPECT_EQ(probe::WorkList(job_, std::nullopt, {0}, 64).size(),
            static_cast<std::int64_t>(probe::parts_of_tile(job_).size()));
}

TEST_F(WorkListTest, UnitsHaveAboutEqualWorkHoweverPartsDiffer) {
  constexpr std::int64_t kRows = 1024;
  job_.sources_per_part = job_.sources_per_tile;  // no primal pass twice
  const auto genes = static_cast<std::size_t>(job_.gene_count());
  job_.cells = job_.backgrounds =
      std::make_shared<probe::FixedRows>(job_.gene_count(), std::vector<float>(kRows * genes));
  const probe::WorkList work(job_, std::nullopt, {0}, 2);
  ASSERT_GT(work.size(), 16);
  std::vector<double> units;
  for (std::int64_t number = 0; number < work.size(); ++number)
    units.push_back(work.flops(work.unit(number), job_, std::nullopt));
  const double all = std::accumulate(units.begin(), units.end(), 0.0);
  const double mean = all / static_cast<double>(units.size());
  double part = 0.0;
  for (const auto& one : probe::parts_of_tile(job_))
    part = std::max(part, probe::work_of_part(job_, std::nullopt, job_.plan().block(0), one).flops);
  ASSERT_LT(part, mean);
  EXPECT_LE(*std::max_element(units.begin(), units.end()), mean + part);
  EXPECT_GE(*std::min_element(units.begin(), units.end()), mean - part);
  const auto block = job_.plan().block(0);
  EXPECT_NEAR(all / probe::work_of_tile(job_, std::nullopt, block).flops, 1.0, 1e-12);
}

TEST_F(WorkListTest, TheLastTilesAreDividedMoreFinely) {
  job_.sources.resize(1000, 3);
  const probe::WorkList work(job_, std::nullopt, all_tiles(), 4);
  std::map<std::int64_t, std::int64_t> units;
  for (std::int64_t number = 0; number < work.size(); ++number) ++units[work.unit(number).tile];
  const auto last = work.unit(work.size() - 1);
  EXPECT_EQ(units.at(work.unit(0).tile), 1);
  EXPECT_GE(units.at(last.tile), 4);
  EXPECT_LE(units.at(last.tile), 9);
  const auto fine =
      std::count_if(units.begin(), units.end(), [](const auto& tile) { return tile.second > 1; });
  EXPECT_GE(fine, 2 * 4);
  EXPECT_LE(fine, 4 * 4);
}

TEST_F(WorkListTest, JoinedPartsOfARowNeedItsPrimalPassOnce) {
  job_.sources_per_tile = 4;
  job_.sources_per_part = 1;
  const auto parts = probe::joined(probe::parts_of_tile(job_));
  EXPECT_EQ(parts.size(), 9U + 10U + 1U);
  const storage::TileBlock block = job_.plan().block(0);
  double joined = 0.0, single = 0.0;
  for (const auto& part : parts) joined += probe::work_of_part(job_, std::nullopt, block, part).primal;
  for (const auto& part : probe::parts_of_tile(job_))
    single += probe::work_of_part(job_, std::nullopt, block, part).primal;
  EXPECT_EQ(joined, probe::work_of_tile(job_, std::nullopt, block).primal);
  EXPECT_EQ(single - joined, 2 * 9 * 3);  // attn doubles them
}

TEST_F(WorkListTest, PartsOfLargeModelsHaveFewSources) {
  job_.osg = job_.pert = job_.attn = false;
  job_.sources_per_tile = 8;
  job_.targets_per_tile = 0;
  job_.genes.resize(1200);
  job_.sources.resize(8, 1);
  job_.perturbation_grid = job_.gradient_grid = {1, 2, 3, 4, 5, 6, 7, 8};
  const auto sources = [&](std::int64_t width, std::int64_t layers) {
    return probe::sources_of_part(job_, backbone::PassShape{width, width, 8, layers, 0, 0});
  };
  EXPECT_EQ(sources(16, 1), 8);    // nine rows of little work
  EXPECT_EQ(sources(512, 12), 2);  // one source a part would repeat 5 % of the work
  EXPECT_EQ(probe::sources_of_part(job_, std::nullopt), 8);
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
  EXPECT_EQ(work.end_of_tile(0), 0);
  for (std::int64_t number = 1; number <= work.size(); ++number) {
    const std::int64_t end = work.end_of_tile(number);
    ASSERT_GE(end, number);
    EXPECT_EQ(work.unit(end - 1).tile, work.unit(number - 1).tile);
    if (end < work.size()) {
      EXPECT_NE(work.unit(end - 1).tile, work.unit(end).tile);
    }
  }
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
