#include "regulus/data/matrix_market.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using test::write_file;
using Names = std::vector<std::string>;
using Values = std::vector<float>;

const std::string kHeader = "%%MatrixMarket matrix coordinate integer general\n";
const std::string kMatrix = kHeader + "% a comment\n\n3 2 4\n3 1 4\n1 1 5\n%another\n2 2 7\n\n1 2 0\n";
const std::string kFeatures =
    "ENSG1\tGATA1\tGene Expression\nENSG2\tTAL1\tGene Expression\nENSG3\tTAL1\tGene Expression\n";
const std::string kBarcodes = "AAAC-1\nAAAG-1\n";

class MatrixMarket : public ::testing::Test {
 protected:
  const test::TempFolder folder_;

  std::filesystem::path write(const std::string& matrix, const std::string& features = kFeatures,
                              const std::string& barcodes = kBarcodes) const {
    write_file(folder_ / "matrix.mtx", matrix);
    write_file(folder_ / "features.tsv", features);
    write_file(folder_ / "barcodes.tsv", barcodes);
    return folder_.path();
  }

  std::string refused(const std::string& matrix, const std::string& features = kFeatures,
                      const std::string& barcodes = kBarcodes) const {
    const auto folder = write(matrix, features, barcodes);
    return error_of(ErrorKind::Input, [&] { read_matrix_market(folder); });
  }
};

TEST_F(MatrixMarket, EntriesComeInAnyOrder) {
  const Expression expression = read_matrix_market(write(kMatrix));
  EXPECT_EQ(expression.genes, (Names{"GATA1", "TAL1", "TAL1-1"}));
  EXPECT_EQ(expression.cells, (Names{"AAAC-1", "AAAG-1"}));
  EXPECT_EQ(expression.dense(), (Values{5, 0, 4, 0, 7, 0}));
  EXPECT_EQ(expression.row_begin, (std::vector<std::int64_t>{0, 2, 3}));
  EXPECT_EQ(expression.column, (std::vector<std::int32_t>{0, 2, 1}));
}

TEST_F(MatrixMarket, RealNumbersAndCarriageReturns) {
  const auto folder =
      write("%%matrixmarket MATRIX Coordinate REAL General\r\n3 2 2\r\n1 1 0.5\r\n2 2  1e-1 \r\n");
  EXPECT_EQ(read_matrix_market(folder).dense(), (Values{0.5F, 0, 0, 0, 0.1F, 0}));
}

TEST_F(MatrixMarket, OtherFeaturesAreDropped) {
  const auto folder =
      write(kMatrix, "E1\tGATA1\tGene Expression\nCD3\tCD3\tAntibody Capture\nE3\tTAL1\tGene Expression\n");
  const Expression expression = read_matrix_market(folder);
  EXPECT_EQ(expression.genes, (Names{"GATA1", "TAL1"}));
  EXPECT_EQ(expression.dense(), (Values{5, 4, 0, 0}));
}

TEST_F(MatrixMarket, TheOldNamesAndPrefixes) {
  write_file(folder_ / "GSM1_matrix.mtx", kMatrix);
  write_file(folder_ / "GSM1_genes.tsv", "ENSG1\tGATA1\nENSG2\tTAL1\nENSG3\tKLF1\n");
  write_file(folder_ / "GSM1_barcodes.tsv", kBarcodes);
  const Expression expression = read_matrix_market(folder_ / "GSM1_matrix.mtx");
  EXPECT_EQ(expression.genes, (Names{"GATA1", "TAL1", "KLF1"}));
  EXPECT_EQ(expression.dense(), (Values{5, 0, 4, 0, 7, 0}));
}

TEST_F(MatrixMarket, CellsByGenesIsRecognisedWhereOnlyThatFits) {
  const auto folder = write(kHeader + "2 3 2\n1 3 4\n2 1 5\n");
  EXPECT_EQ(read_matrix_market(folder).dense(), (Values{0, 0, 4, 5, 0, 0}));
}

TEST_F(MatrixMarket, FilesThatAreMissingAreNamed) {
  const auto read = [&](const std::string& name) {
    return error_of(ErrorKind::Input, [&] { read_matrix_market(folder_ / name); });
  };
  expect_mentions(read(""), "matrix.mtx");
  write_file(folder_ / "matrix.mtx", kMatrix);
  expect_mentions(read(""), "features.tsv");
  write_file(folder_ / "features.tsv", kFeatures);
  expect_mentions(read("matrix.mtx"), "barcodes.tsv");
  expect_mentions(read("none/matrix.mtx"), "none", "no such");
  write_file(folder_ / "counts.mtx", kMatrix);
  expect_mentions(read("counts.mtx"), "counts.mtx", "PREFIX");
}

TEST_F(MatrixMarket, OtherKindsAreRefusedWithARemedy) {
  const auto with = [&](const std::string& kind) {
    return refused("%%MatrixMarket matrix " + kind + "\n3 2 0\n");
  };
  expect_mentions(with("array real general"), "matrix.mtx, line 1", "dense");
  expect_mentions(with("coordinate pattern general"), "without values");
  expect_mentions(with("coordinate complex general"), "complex");
  expect_mentions(with("coordinate real symmetric"), "every entry");
  expect_mentions(refused("3 2 1\n1 1 1\n"), "line 1", "%%MatrixMarket");
}

TEST_F(MatrixMarket, DamageIsNamedByItsLine) {
  const std::string begin = kHeader + "3 2 2\n1 1 5\n";
  expect_mentions(refused(begin + "4 1 1\n"), "matrix.mtx, line 4", "(4, 1)", "3 x 2");
  expect_mentions(refused(begin + "3 0 1\n"), "line 4", "(3, 0)");
  expect_mentions(refused(begin + "2 1 -1\n"), "line 4", "negative");
  expect_mentions(refused(begin + "2 1 nan\n"), "line 4", "not finite");
  expect_mentions(refused(begin + "2 1 1e99\n"), "line 4", "not finite");
  expect_mentions(refused(begin + "2 1\n"), "line 4", "2 1");
  expect_mentions(refused(begin + "2 1 1x\n"), "line 4", "1x");
  expect_mentions(refused(begin + "2 1 1 1\n"), "line 4");
  expect_mentions(refused(begin + "2.5 1 1\n"), "line 4");
  expect_mentions(refused(begin), "matrix.mtx", "1 entries instead of 2");
  expect_mentions(refused(begin + "2 1 1\n2 2 1\n"), "line 5", "more entries");
  expect_mentions(refused(begin + "1 1 0\n"), "line 4", "before");
  expect_mentions(refused(kHeader + "3 2\n"), "line 2", "3 2");
  expect_mentions(refused(kHeader), "sizes");
  expect_mentions(refused(kHeader + "3 3 0\n"), "3 x 3", "3 features and 2 barcodes");
  expect_mentions(refused(kMatrix, "A\tA\n\nB\tB\nC\tC\n"), "features.tsv, line 2", "blank");
  expect_mentions(refused(kMatrix, "A\tA\tGene Expression\nB\tB\nC\tC\n"), "features.tsv", "third column");
  expect_mentions(refused(kMatrix, kFeatures, "\tx\nAAAG-1\n"), "barcodes.tsv, line 1", "empty");
}

}  // namespace
}  // namespace regulus::data
