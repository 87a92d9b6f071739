#include <gtest/gtest.h>

#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/data/h5ad.h"
#include "support/temp_folder.h"

namespace regulus::data {
namespace {

/// 40 cells x 30 genes with about a third of the values.
Expression sample() {
  std::vector<std::string> cells;
  std::vector<std::string> genes;
  std::vector<float> values;
  for (int g = 0; g < 30; ++g) genes.push_back("G" + std::to_string(g));
  for (int c = 0; c < 40; ++c) {
    cells.push_back("c" + std::to_string(c));
    for (int g = 0; g < 30; ++g)
      values.push_back((c * 7 + g * 5) % 3 == 0 ? 0.5F + static_cast<float>(c) / 100 : 0);
  }
  return from_dense(cells, genes, values);
}

TEST(ReadExpression, EveryRankGetsWhatRankZeroRead) {
  const auto world = comm::Communicator::world();
  const test::TempFolder folder;
  // Only rank 0's file exists; the other ranks name a file of their own that does not.
  comm::agree_on_root(world, "writing", [&] { write_h5ad(folder / "x.h5ad", sample(), {}); });
  const Expression expression = read_expression(world, folder / "x.h5ad");
  EXPECT_EQ(expression.cells, sample().cells);
  EXPECT_EQ(expression.genes, sample().genes);
  EXPECT_EQ(expression.row_begin, sample().row_begin);
  EXPECT_EQ(expression.column, sample().column);
  EXPECT_EQ(expression.value, sample().value);
}

TEST(ReadExpression, AMissingFileIsTheSameErrorEverywhere) {
  const auto world = comm::Communicator::world();
  std::string text;
  try {
    read_expression(world, "/nowhere/at/all.h5ad");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Input);
    text = error.what();
  }
  EXPECT_NE(text.find("/nowhere/at/all.h5ad"), std::string::npos) << text;
  std::string of_root = text;
  world.broadcast(of_root);
  EXPECT_EQ(text, of_root);
}

}  // namespace
}  // namespace regulus::data
