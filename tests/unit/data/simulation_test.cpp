#include "regulus/data/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "regulus/core/error.h"

namespace {

using namespace regulus;

data::SimulationOptions small() {
  data::SimulationOptions options;
  options.datasets = 2;
  options.genes = 40;
  options.tfs = 10;
  options.cells = 600;
  options.seed = 3;
  return options;
}

TEST(Universe, IsADagInWhichMastersHaveNoRegulator) {
  const data::Universe universe = data::draw_universe(small());
  std::vector<std::size_t> rank(universe.genes.size());
  for (std::size_t k = 0; k < universe.order.size(); ++k)
    rank[static_cast<std::size_t>(universe.order[k])] = k;
  for (const auto& regulation : universe.regulations) {
    EXPECT_TRUE(universe.is_tf[static_cast<std::size_t>(regulation.source)]);
    EXPECT_FALSE(universe.is_master[static_cast<std::size_t>(regulation.target)]);
    EXPECT_LT(rank[static_cast<std::size_t>(regulation.source)],
              rank[static_cast<std::size_t>(regulation.target)]);
  }
}

TEST(Universe, EveryGeneButTheMastersIsRegulatedInEveryDataSetThatHasIt) {
  const auto options = small();
  const data::Universe universe = data::draw_universe(options);
  for (std::int64_t d = 0; d < options.datasets; ++d) {
    const auto dataset = data::draw_dataset(options, universe, d);
    std::set<std::string> regulated;
    for (const auto& edge : dataset.network.edges) regulated.insert(edge.target);
    for (std::size_t i = 0; i < universe.genes.size(); ++i) {
      if (universe.owner[i] >= 0 && universe.owner[i] != d) continue;
      EXPECT_NE(regulated.count(universe.genes[i]) == 1, universe.is_master[i]) << universe.genes[i];
    }
  }
}

TEST(Simulation, DataSetsShareTheAskedPartOfTheirGenes) {
  const auto options = small();
  const data::Universe universe = data::draw_universe(options);
  const auto first = data::draw_dataset(options, universe, 0);
  const auto second = data::draw_dataset(options, universe, 1);
  EXPECT_EQ(first.counts.gene_count(), 40);
  EXPECT_EQ(first.counts.cell_count(), 600);
  EXPECT_EQ(first.tfs.size(), 10U);
  const std::set<std::string> genes(first.counts.genes.begin(), first.counts.genes.end());
  EXPECT_EQ(std::count_if(second.counts.genes.begin(), second.counts.genes.end(),
                          [&](const std::string& gene) { return genes.count(gene) == 1; }),
            20);
}

TEST(Simulation, CountsAreIntegersOfTheAskedDepthAfterDropout) {
  const auto options = small();
  const auto dataset = data::draw_dataset(options, data::draw_universe(options), 1);
  double total = 0.0;
  for (const float value : dataset.counts.value) {
    ASSERT_EQ(value, std::floor(value));
    ASSERT_GT(value, 0.0F);
    total += value;
  }
  const double mean = total / static_cast<double>(options.genes * options.cells);
  EXPECT_LT(mean, options.depth);        // dropout only takes away
  EXPECT_GT(mean, 0.7 * options.depth);  // at most 30 % of a count
}

TEST(Simulation, SeedAndIndexDecideEverything) {
  const auto options = small();
  const data::Universe universe = data::draw_universe(options);
  const auto again = data::draw_dataset(options, universe, 1).counts;
  const auto once = data::draw_dataset(options, universe, 1).counts;
  EXPECT_EQ(once.value, again.value);
  EXPECT_EQ(once.column, again.column);
  auto other = options;
  other.seed = 4;
  EXPECT_NE(data::draw_dataset(other, data::draw_universe(other), 1).counts.value, once.value);
}

double correlation(const data::Expression& cells, std::int64_t a, std::int64_t b) {
  const auto dense = cells.dense();
  const auto at = [&](std::int64_t cell, std::int64_t gene) {
    return std::log1p(static_cast<double>(dense[static_cast<std::size_t>(cell * cells.gene_count() + gene)]));
  };
  double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
  const auto n = static_cast<double>(cells.cell_count());
  for (std::int64_t c = 0; c < cells.cell_count(); ++c) {
    const double x = at(c, a);
    const double y = at(c, b);
    sa += x, sb += y, aa += x * x, bb += y * y, ab += x * y;
  }
  return (ab / n - sa / n * sb / n) / std::sqrt((aa / n - sa * sa / n / n) * (bb / n - sb * sb / n / n));
}

TEST(Simulation, ActivationAndRepressionShowInTheSignOfTheCorrelation) {
  // The common library size pushes all correlations up: compare the two kinds of regulation, not signs.
  auto options = small();
  options.cells = 1500;
  const data::Universe universe = data::draw_universe(options);
  const auto cells = data::draw_dataset(options, universe, 0).counts;
  const auto column = [&](std::int64_t gene) {
    const auto& name = universe.genes[static_cast<std::size_t>(gene)];
    return std::find(cells.genes.begin(), cells.genes.end(), name) - cells.genes.begin();
  };
  double activating = 0, repressing = 0, activations = 0, repressions = 0;
  for (const auto& regulation : universe.regulations) {
    const auto source = column(regulation.source);
    const auto target = column(regulation.target);
    if (source == cells.gene_count() || target == cells.gene_count()) continue;
    (regulation.sign > 0 ? activating : repressing) += correlation(cells, source, target);
    (regulation.sign > 0 ? activations : repressions) += 1;
  }
  EXPECT_GT(activating / activations, repressing / repressions + 0.1);
}

TEST(Simulation, SizesThatDoNotFitAreOptionErrors) {
  auto options = small();
  options.tfs = 40;
  EXPECT_THROW(data::draw_universe(options), OptionError);
  options = small();
  options.shared = 1.0;
  EXPECT_THROW(data::draw_universe(options), OptionError);
  options = small();
  options.tfs = 2;
  EXPECT_THROW(data::draw_universe(options), OptionError);
}

}  // namespace
