// Real data sets: the two forms of mDC agree, and a file of the pre-training corpus is read whole.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <unordered_map>

#include "regulus/data/cell_reader.h"
#include "regulus/data/csv_expression.h"
#include "regulus/data/gene_list.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/network.h"
#include "regulus/data/normalise.h"

namespace regulus::data {
namespace {

const std::filesystem::path kData = std::filesystem::path(REGULUS_SHARED_DIR) / "data";

class SharedData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kData)) GTEST_SKIP() << "reason: " << kData << " not found";
  }
};

/// The same genes in the order of `like`.
Expression reordered(const Expression& expression, const Expression& like) {
  std::unordered_map<std::string, std::int64_t> index;
  for (std::int64_t i = 0; i < expression.gene_count(); ++i)
    index.emplace(expression.genes[static_cast<std::size_t>(i)], i);
  std::vector<std::int64_t> order;
  for (const std::string& gene : like.genes) order.push_back(index.at(gene));
  return select_genes(expression, order);
}

TEST_F(SharedData, BothFormsOfMdcAgree) {
  const Expression table = read_csv_expression(kData / "beeline/mDC/expression_TFs500.csv.gz");
  const Expression anndata = read_h5ad(kData / "beeline/mDC/expression_TFs500.h5ad");
  EXPECT_EQ(table.cell_count(), 383);
  EXPECT_EQ(table.gene_count(), 821);
  EXPECT_EQ(table.cells, anndata.cells);
  EXPECT_EQ(table.genes, anndata.genes);
  EXPECT_EQ(table.dense(), anndata.dense());
  EXPECT_EQ(detect_scale(table), ValueScale::LogNormalised);
}

TEST_F(SharedData, CellsOfMdcAreTheSameOneByOne) {
  const auto file = kData / "beeline/mDC/expression_TFs500.h5ad";
  const Expression expected = read_h5ad(file);
  const CellReader reader(file);
  ASSERT_EQ(reader.cell_count(), expected.cell_count());
  std::vector<std::int64_t> cells;
  for (std::int64_t cell = 0; cell < reader.cell_count(); ++cell) {
    ASSERT_EQ(reader.read_rows(std::vector{cell}), expected.dense_row(cell)) << cell;
    cells.push_back(cell);
  }
  const auto means = mean_of_cells(comm::Communicator::self(), reader, cells);
  for (std::size_t gene = 0; gene < means.size(); ++gene)
    EXPECT_NEAR(means[gene], expected.gene_means()[gene], 1e-11) << gene;  // the sums' resolution is 2^-37
}

TEST_F(SharedData, TheLargerGeneSetOfMdcHoldsTheSmaller) {
  const Expression small = read_h5ad(kData / "beeline/mDC/expression_TFs500.h5ad");
  const Expression large = read_h5ad(kData / "beeline/mDC/expression_TFs1000.h5ad");
  const std::vector<float> expected = small.dense();
  const std::vector<float> found = reordered(large, small).dense();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-6) << i;
}

TEST_F(SharedData, ACorpusFileIsReadWhole) {
  const auto file = kData / "corpus/human_pbmc68k_reduced.h5ad";
  Expression expression = read_h5ad(file);
  EXPECT_EQ(expression.cell_count(), 700);
  EXPECT_EQ(expression.gene_count(), 765);
  EXPECT_EQ(detect_scale(expression), ValueScale::Counts);
  const std::vector<std::string> totals = read_obs_column(file, "total");
  for (std::int64_t cell = 0; cell < expression.cell_count(); ++cell) {
    double total = 0.0;
    for (const float value : expression.dense_row(cell)) total += value;
    ASSERT_DOUBLE_EQ(total, std::stod(totals[static_cast<std::size_t>(cell)])) << cell;
  }
}

TEST_F(SharedData, NetworksAndGeneListsAreRead) {
  EXPECT_EQ(read_network(kData / "beeline/mDC/STRING_TFs500.csv").edges.size(), 4815U);
  EXPECT_EQ(read_network(kData / "beeline/mDC/CellTypeSpecific_TFs1000.csv").edges.size(), 1193U);
  EXPECT_EQ(read_gene_list(kData / "beeline/mDC/tfs_TFs500.txt").size(), 321U);
  EXPECT_EQ(read_gene_list(kData / "beeline/mDC/targets_TFs500.txt").size(), 821U);
}

}  // namespace
}  // namespace regulus::data
