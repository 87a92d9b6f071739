#include "regulus/data/normalise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.h"

namespace regulus::data {
namespace {

Expression with_values(const std::vector<float>& values) {
  std::vector<std::string> genes;
  for (std::size_t i = 0; i < values.size() / 2; ++i) genes.push_back("G" + std::to_string(i));
  return from_dense({"c1", "c2"}, genes, values);
}

TEST(Normalise, RecognisesTheScale) {
  EXPECT_EQ(detect_scale(with_values({1, 0, 3000, 2})), ValueScale::Counts);
  EXPECT_EQ(detect_scale(with_values({1, 0, 24.9F, 2.5F})), ValueScale::LogNormalised);
  EXPECT_EQ(detect_scale(with_values({1, 0, 25.5F, 2})), ValueScale::Other);
}

TEST(Normalise, CountsBecomeLogOfCountsPerTenThousand) {
  Expression expression = with_values({1, 3, 0, 5, 0, 0});
  EXPECT_EQ(normalise(expression, Normalise::Auto, "x"), ValueScale::LogNormalised);
  const std::vector<float> values = expression.dense();
  EXPECT_FLOAT_EQ(values[0], static_cast<float>(std::log(2501.0)));
  EXPECT_FLOAT_EQ(values[1], static_cast<float>(std::log(7501.0)));
  EXPECT_EQ(values[2], 0.0F);
  EXPECT_FLOAT_EQ(values[3], static_cast<float>(std::log(10001.0)));
}

TEST(Normalise, LogNormalisedValuesStay) {
  Expression expression = with_values({0.5F, 3, 0, 5});
  EXPECT_EQ(normalise(expression, Normalise::Auto, "x"), ValueScale::LogNormalised);
  EXPECT_EQ(expression.dense(), (std::vector<float>{0.5F, 3, 0, 5}));
}

TEST(Normalise, NoneKeepsEverything) {
  Expression expression = with_values({1, 3, 0, 5000});
  EXPECT_EQ(normalise(expression, Normalise::None, "x"), ValueScale::Counts);
  EXPECT_EQ(expression.dense(), (std::vector<float>{1, 3, 0, 5000}));
}

TEST(Normalise, AsksAboutWhatItDoesNotRecognise) {
  Expression expression = with_values({0.5F, 300, 0, 5});
  test::expect_mentions(
      test::error_of(ErrorKind::Input, [&] { normalise(expression, Normalise::Auto, "tpm.csv"); }), "tpm.csv",
      "--normalise log1p-cp10k", "300");
  EXPECT_EQ(normalise(expression, Normalise::Log1pCp10k, "x"), ValueScale::LogNormalised);
  EXPECT_FLOAT_EQ(expression.dense()[0], static_cast<float>(std::log1p(5000.0 / 300.5)));
}

TEST(Normalise, DropsCellsWithoutExpression) {
  Expression expression = from_dense({"a", "b", "c"}, {"A", "B"}, {0, 0, 1, 2, 0, 0});
  EXPECT_EQ(drop_empty_cells(expression), 2);
  EXPECT_EQ(expression.cells, (std::vector<std::string>{"b"}));
  EXPECT_EQ(expression.dense(), (std::vector<float>{1, 2}));
  EXPECT_EQ(drop_empty_cells(expression), 0);
}

TEST(Normalise, MedianScalesEveryCellToTheMedianTotal) {
  Expression expression = with_values({1, 3, 0, 8});
  ASSERT_EQ(normalise(expression, Normalise::Log1pMedian, "x"), ValueScale::LogNormalised);
  const auto dense = expression.dense();  // totals 4 and 8: the median is 6
  EXPECT_FLOAT_EQ(dense[0], static_cast<float>(std::log1p(1.5)));
  EXPECT_FLOAT_EQ(dense[3], static_cast<float>(std::log1p(6.0)));
}

TEST(Normalise, ParsesTheOption) {
  EXPECT_EQ(parse_normalise("log1p-median"), Normalise::Log1pMedian);
  EXPECT_EQ(parse_normalise("auto"), Normalise::Auto);
  EXPECT_EQ(parse_normalise("none"), Normalise::None);
  EXPECT_EQ(parse_normalise("log1p-cp10k"), Normalise::Log1pCp10k);
  test::expect_mentions(test::error_of(ErrorKind::Options, [] { parse_normalise("log2"); }), "--normalise",
                        "log2");
}

}  // namespace
}  // namespace regulus::data
