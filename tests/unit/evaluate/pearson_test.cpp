#include "regulus/evaluate/pearson.h"

#include <gtest/gtest.h>

#include <cmath>

#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::evaluate {
namespace {

using translator::LabelledPairs;

std::vector<double> pearson(const data::Expression& expression, const std::vector<std::string>& sources,
                            const std::vector<std::string>& targets) {
  LabelledPairs pairs;
  for (std::size_t s = 0; s < sources.size(); ++s)
    for (std::size_t t = 0; t < targets.size(); ++t) {
      pairs.source.push_back(static_cast<std::int32_t>(s));
      pairs.target.push_back(static_cast<std::int32_t>(t));
      pairs.label.push_back(0);
    }
  return PearsonControl(expression).scores(sources, targets, pairs);
}

TEST(Pearson, HandComputedExample) {
  // A = 1 2 3 4, B = 2 0 0 2, C = 0 1 0 3
  const auto expression =
      data::from_dense({"c1", "c2", "c3", "c4"}, {"A", "B", "C"}, {1, 2, 0, 2, 0, 1, 3, 0, 0, 4, 2, 3});
  const auto r = pearson(expression, {"A", "B"}, {"B", "C"});
  EXPECT_NEAR(r[0], 0.0, 1e-15);
  // deviations of A: -1.5 -0.5 0.5 1.5, of C: -1 0 -1 2; products 1.5 + 0 - 0.5 + 3 = 4; norms sqrt 5 and
  // sqrt 6
  EXPECT_NEAR(r[1], 4.0 / std::sqrt(30.0), 1e-15);
  EXPECT_NEAR(r[2], 1.0, 1e-15);
  // deviations of B: 1 -1 -1 1; products -1 - 0 + 1 + 2 = 2; norms 2 and sqrt 6
  EXPECT_NEAR(r[3], 1.0 / std::sqrt(6.0), 1e-15);
}

TEST(Pearson, NegativeCorrelationScoresAsHighAsPositive) {
  const auto expression = data::from_dense({"a", "b", "c"}, {"A", "B"}, {1, 5, 2, 3, 3, 1});
  EXPECT_NEAR(pearson(expression, {"A"}, {"B"})[0], 1.0, 1e-15);
}

TEST(Pearson, ConstantAndUnknownGenesScoreZero) {
  const auto expression = data::from_dense({"a", "b", "c"}, {"A", "B", "Z"}, {1, 2, 0, 2, 2, 0, 3, 2, 0});
  EXPECT_EQ(pearson(expression, {"A", "B", "nowhere"}, {"B", "Z", "missing"}), std::vector<double>(9, 0.0));
}

TEST(Pearson, MatchesTheDenseTwoPassFormula) {
  RandomStream random(7, "test.pearson");
  const int cells = 40;
  const std::vector<std::string> genes{"G1", "G2", "G3", "G4"};
  std::vector<float> values;
  std::vector<std::string> names;
  for (int cell = 0; cell < cells; ++cell) {
    names.push_back("cell" + std::to_string(cell));
    for (std::size_t gene = 0; gene < genes.size(); ++gene)
      values.push_back(random.uniform() < 0.5 ? 0.0F : static_cast<float>(10.0 + random.normal()));
  }
  const auto r = pearson(data::from_dense(names, genes, values), {"G1"}, {"G2", "G3", "G4"});
  for (std::size_t other = 1; other < genes.size(); ++other) {
    double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
    const auto a = [&](std::size_t cell) { return static_cast<double>(values[cell * genes.size()]); };
    const auto b = [&](std::size_t cell) { return static_cast<double>(values[cell * genes.size() + other]); };
    for (std::size_t cell = 0; cell < cells; ++cell) mean_a += a(cell) / cells, mean_b += b(cell) / cells;
    for (std::size_t cell = 0; cell < cells; ++cell) {
      ab += (a(cell) - mean_a) * (b(cell) - mean_b);
      aa += (a(cell) - mean_a) * (a(cell) - mean_a);
      bb += (b(cell) - mean_b) * (b(cell) - mean_b);
    }
    EXPECT_NEAR(r[other - 1], std::abs(ab) / std::sqrt(aa * bb), 1e-13);
  }
}

TEST(Pearson, NamesMatchExactlyThenByUpperCase) {
  const auto expression =
      data::from_dense({"a", "b", "c"}, {"Gata1", "GATA1", "Myc"}, {1, 3, 1, 2, 1, 2, 3, 3, 3});
  EXPECT_NEAR(pearson(expression, {"Gata1"}, {"MYC"})[0], 1.0, 1e-15);
  EXPECT_NEAR(pearson(expression, {"GATA1"}, {"myc"})[0], 0.0, 1e-15);
}

TEST(Pearson, NeedsTwoCells) {
  const auto expression = data::from_dense({"a"}, {"A", "B"}, {1, 2});
  EXPECT_THROW(PearsonControl{expression}, InputError);
}

}  // namespace
}  // namespace regulus::evaluate
