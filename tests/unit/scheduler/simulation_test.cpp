// The simulation of the tile scheduler against closed forms: what one thing alone costs, everything else
// free.
#include "simulation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "scenario.h"

namespace {

using namespace regulus;
using scheduler::Machine;
using scheduler::Work;

constexpr double kForever = 1e9;

/// Equal units, each a tile of its own.
Work equal_units(std::int64_t count, double flops) {
  Work work;
  for (std::int64_t unit = 0; unit < count; ++unit) work.units.push_back({unit, 1, flops});
  return work;
}

/// A unit for each rank, and one round for all others, however long.
scheduler::Outcome simulate(const Work& work, const Machine& machine, int ranks, std::uint64_t seed = 1) {
  return scheduler::simulate(work, machine, probe::RoundRule(kForever, kForever), ranks, seed);
}

double all_flops(const Work& work) {
  return std::accumulate(work.units.begin(), work.units.end(), 0.0,
                         [](double sum, const Work::Unit& unit) { return sum + unit.flops; });
}

TEST(Simulation, EqualUnitsTakeAsLongAsTheRankWithMost) {
  for (const int ranks : {1, 2, 3, 7, 64, 4096}) {
    const auto outcome = simulate(equal_units(100, 6.0), {.flops_per_s = 2.0}, ranks);
    EXPECT_DOUBLE_EQ(outcome.wall_s, 3.0 * std::ceil(100.0 / ranks)) << ranks;
    EXPECT_DOUBLE_EQ(outcome.compute_s, 300.0);
    EXPECT_NEAR(outcome.losses.idle, outcome.wall_s * ranks - 300.0, 1e-9);
    EXPECT_EQ(outcome.rounds, 2);
  }
}

TEST(Simulation, AllTimeIsComputingOrALoss) {
  Work work = equal_units(500, 3.0);
  work.stored_bytes = 10.0;
  const Machine machine{.unit_spread = 0.3,
                        .rank_spread = 0.1,
                        .finish_s = 0.1,
                        .take_latency_s = 0.01,
                        .take_service_s = 0.01,
                        .collective_s = 0.2,
                        .level_s = 0.1,
                        .file_byte_s = 1e-3};
  const auto outcome = scheduler::simulate(work, machine, probe::RoundRule(10.0, 20.0), 13, 5);
  EXPECT_GT(outcome.rounds, 5);
  const auto& losses = outcome.losses;
  for (const double loss : {losses.counter, losses.idle, losses.exchange, losses.write}) EXPECT_GT(loss, 0.0);
  EXPECT_NEAR(outcome.compute_s + losses.total(), 13 * outcome.wall_s, 1e-6);
}

TEST(Simulation, SpreadKeepsTheMeanOfTheWorkAndASeedItsNumbers) {
  const Work work = equal_units(20000, 1.0);
  const Machine machine{.unit_spread = 0.2};
  const auto outcome = simulate(work, machine, 10);
  // Six standard errors of 20,000 units.
  EXPECT_NEAR(outcome.compute_s / all_flops(work), 1.0, 6 * 0.2 / std::sqrt(20000.0));
  EXPECT_EQ(outcome.wall_s, simulate(work, machine, 10).wall_s);
  EXPECT_NE(outcome.wall_s, simulate(work, machine, 10, 2).wall_s);
}

TEST(Simulation, TwoRanksShareTheWorkByTheirSpeeds) {
  const Machine machine{.rank_spread = 0.5};
  const auto one_each = simulate(equal_units(2, 1.0), machine, 2, 4);
  const double slow = 1.0 / one_each.wall_s;
  const double fast = 2.0 - slow;  // their mean is 1
  ASSERT_GT(fast - slow, 0.1);
  EXPECT_NEAR(one_each.compute_s, 1.0 / slow + 1.0 / fast, 1e-9);
  const auto many = simulate(equal_units(3000, 1.0), machine, 2, 4);
  EXPECT_NEAR(many.wall_s, 1500.0, 1.0 / slow);
  EXPECT_NEAR(many.losses.idle, 0.0, 1.0 / slow);
}

TEST(Simulation, ASlowDiskBoundsTheRun) {
  Work work = equal_units(64, 1.0);
  work.stored_bytes = 100.0;
  const auto outcome = simulate(work, {.file_byte_s = 0.5}, 8);
  EXPECT_DOUBLE_EQ(outcome.wall_s, 8.0 + 64 * 100 * 0.5);
  EXPECT_DOUBLE_EQ(outcome.losses.write, 8 * 64 * 100 * 0.5);
  EXPECT_DOUBLE_EQ(simulate(work, {.tile_write_s = 2.0}, 8).wall_s, 8.0 + 8 * 2.0);
}

TEST(Simulation, ABusyCounterBoundsTheRun) {
  // 1,000 ranks could take a unit every millisecond; the counter serves one in a tenth of a second.
  const auto outcome = simulate(equal_units(5000, 1.0), {.take_service_s = 0.1}, 1000);
  EXPECT_NEAR(outcome.wall_s, 0.1 * (5000 + 1000), 2.5);  // and tells each rank that nothing is left
  const auto distant = simulate(equal_units(10, 1.0), {.take_latency_s = 0.25}, 1);
  EXPECT_DOUBLE_EQ(distant.wall_s, 10 * 1.25 + 0.25);
}

TEST(Simulation, RoundsWaitForTheLastUnit) {
  // Units of 4 and 6 s; rounds of 10 s: the ranks meet when the last unit that began in the round has ended.
  Work work = equal_units(40, 4.0);
  for (std::size_t unit = 0; unit < 40; unit += 2) work.units[unit].flops = 6.0;
  const auto outcome = scheduler::simulate(work, {}, probe::RoundRule(10.0, 10.0), 2, 1);
  EXPECT_DOUBLE_EQ(outcome.wall_s, 6.0 + 9 * 10.0 + 6.0);  // 6 | 6 4 … and 4 | 4 6 …
  EXPECT_EQ(outcome.rounds, 11);
}

TEST(Simulation, PartsOfATileAreGatheredByOneRank) {
  Work work;
  for (int unit = 0; unit < 4; ++unit) work.units.push_back({0, 1, 1.0});
  work.parts_per_tile = 4;
  work.sum_bytes = 10.0;
  const Machine machine{.finish_s = 0.25, .message_s = 0.5, .byte_s = 0.1, .sum_byte_s = 0.01};
  // Three messages one after the other, each with its addition, then the finished tile.
  const double noting = 4 * 16 * 0.1;  // 16 bytes for each of four holders, to all
  EXPECT_DOUBLE_EQ(simulate(work, machine, 4).wall_s, 1.0 + noting + 3 * (0.5 + 1.0 + 0.1) + 0.25);
  EXPECT_EQ(simulate(work, machine, 4).gathered_tiles, 1);
  EXPECT_DOUBLE_EQ(simulate(work, machine, 1).wall_s, 4.0 + noting / 4 + 0.25);  // after the first unit
  EXPECT_EQ(simulate(work, machine, 1).gathered_tiles, 0);
}

TEST(Simulation, RoundsEndWhenTilesFillTheMemory) {
  Work work = equal_units(100, 1.0);
  work.stored_bytes = 50.0;
  const auto outcome = scheduler::simulate(work, {}, probe::RoundRule(kForever, kForever, 500), 1, 1);
  EXPECT_EQ(outcome.rounds, 11);  // one tile, then ten each, then nine
}

nlohmann::json small_scenario() {
  return {{"model", {{"width", 512}, {"hidden", 512}, {"heads", 8}, {"layers", 12}}},
          {"sources", 64},
          {"targets", 2400},
          {"grid", 8},
          {"backgrounds", 1},
          {"gflops_per_s", 75}};
}

TEST(Scenario, OneRankComputesWhatIsNecessary) {
  const auto prediction = scheduler::predict(scheduler::scenario_from(small_scenario()), 1, 1);
  EXPECT_NEAR(prediction.at("efficiency").get<double>(), 1.0 / 1.03, 0.02);  // parts repeat the primal pass
  EXPECT_LE(prediction.at("efficiency").get<double>(), 1.0);
}

TEST(Scenario, UnitsOfManyRanksHoldEveryPartOfEveryTile) {
  const scheduler::Scenario scenario = scheduler::scenario_from(small_scenario());
  for (const int ranks : {1, 16, 4096}) {
    const Work work = scheduler::work_of(scenario, ranks);
    std::map<std::int64_t, std::int64_t> parts;
    for (const Work::Unit& unit : work.units) parts[unit.tile] += unit.parts;
    EXPECT_EQ(static_cast<std::int64_t>(parts.size()), scenario.job.plan().count());
    for (const auto& [tile, count] : parts) EXPECT_EQ(count, work.parts_per_tile) << tile;
  }
}

}  // namespace
