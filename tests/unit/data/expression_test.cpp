#include "regulus/data/expression.h"

#include <gtest/gtest.h>

#include "regulus/data/csv_expression.h"
#include "support/expect_error.h"

namespace regulus::data {
namespace {

//        A  B  C
// one    1  0  2
// two    0  0  0
// three  0  4  0.5
Expression small() {
  return from_dense({"one", "two", "three"}, {"A", "B", "C"}, {1, 0, 2, 0, 0, 0, 0, 4, 0.5F});
}

TEST(Expression, KeepsOnlyWhatIsNotZero) {
  const Expression expression = small();
  EXPECT_EQ(expression.row_begin, (std::vector<std::int64_t>{0, 2, 2, 4}));
  EXPECT_EQ(expression.column, (std::vector<std::int32_t>{0, 2, 1, 2}));
  EXPECT_EQ(expression.value, (std::vector<float>{1, 2, 4, 0.5F}));
}

TEST(Expression, DenseRowsHaveTheirZeros) {
  EXPECT_EQ(small().dense_row(0), (std::vector<float>{1, 0, 2}));
  EXPECT_EQ(small().dense_row(1), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(small().dense(), (std::vector<float>{1, 0, 2, 0, 0, 0, 0, 4, 0.5F}));
}

TEST(Expression, MeansCountZeros) {
  const std::vector<double> means = small().gene_means();
  EXPECT_DOUBLE_EQ(means[0], 1.0 / 3);
  EXPECT_DOUBLE_EQ(means[1], 4.0 / 3);
  EXPECT_DOUBLE_EQ(means[2], 2.5 / 3);
}

TEST(Expression, SelectsGenesInTheOrderAsked) {
  const Expression selected = select_genes(small(), {2, 0});
  EXPECT_EQ(selected.genes, (std::vector<std::string>{"C", "A"}));
  EXPECT_EQ(selected.dense(), (std::vector<float>{2, 1, 0, 0, 0.5F, 0}));
  EXPECT_EQ(selected.column, (std::vector<std::int32_t>{0, 1, 0}));
}

TEST(Expression, RefusesWrongGeneIndices) {
  EXPECT_THROW(select_genes(small(), {3}), Error);
  EXPECT_THROW(select_genes(small(), {-1}), Error);
  EXPECT_THROW(select_genes(small(), {0, 0}), Error);
  EXPECT_THROW(from_dense({"one"}, {"A", "B"}, {1}), Error);
}

TEST(Expression, TransposingTwiceChangesNothing) {
  const Expression turned = transpose(small());
  EXPECT_EQ(turned.dense(), (std::vector<float>{1, 0, 0, 0, 0, 4, 2, 0, 0.5F}));
  EXPECT_EQ(turned.genes, small().cells);
  EXPECT_EQ(transpose(turned).dense(), small().dense());
}

}  // namespace
}  // namespace regulus::data
