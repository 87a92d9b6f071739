#include "regulus/data/orientation.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"

namespace regulus::data {
namespace {

using Names = std::vector<std::string>;

const Names kSymbols = {"SOX2", "MT-CO1", "0610005C13Rik", "RP11-34P13.7", "ENSG00000181449", "cJun"};

TEST(Orientation, RecognisesCellNamesOfTheField) {
  const std::vector<Names> cells = {{"AAACATACAACCAC-1", "AAACATTGAGCTAC-1"},
                                    {"LPS_1h_S10", "LPS_1h_S11"},
                                    {"E2_2_003", "E22_3_284"},
                                    {"H9_00hb4s_001", "H9_12h_2"},
                                    {"cell0", "cell1"},
                                    {"GSM1599494", "GSM1599495"},
                                    {"LL.CACATAGAGTACGACG-1", "c0_NK cells_{3}"}};
  for (const Names& names : cells) {
    EXPECT_EQ(guess_orientation("", kSymbols, names).orientation, Orientation::GenesByCells) << names[0];
    EXPECT_EQ(guess_orientation("", names, kSymbols).orientation, Orientation::CellsByGenes) << names[0];
  }
}

/// A regular expression with .* at both ends took a tenth of a second for each of these names.
TEST(Orientation, LongNamesTakeTimeInProportion) {
  const Names unclear{"1", "2"};
  const Names cells(100'000, std::string(190, 'A') + "\r");
  EXPECT_EQ(guess_orientation("", unclear, cells).orientation, Orientation::GenesByCells);
  EXPECT_EQ(guess_orientation("", unclear, {"x.ACGTNACGTNx"}).orientation, Orientation::GenesByCells);
  EXPECT_EQ(guess_orientation("", unclear, {"(ACGTNACGT.ACGTNACGT"}).orientation, Orientation::Auto);
}

TEST(Orientation, NumbersAndWellsLeaveItToTheOtherSide) {
  EXPECT_EQ(guess_orientation("", kSymbols, {"0", "1"}).orientation, Orientation::GenesByCells);
  EXPECT_EQ(guess_orientation("", {"A1", "B12"}, kSymbols).orientation, Orientation::CellsByGenes);
}

TEST(Orientation, SaysWhenItCannotTell) {
  EXPECT_EQ(guess_orientation("", kSymbols, kSymbols).orientation, Orientation::Auto);
  EXPECT_EQ(guess_orientation("", {"1", "2"}, {"3", "4"}).orientation, Orientation::Auto);
  EXPECT_EQ(guess_orientation("", {std::string(100000, 'x')}, {"3"}).orientation, Orientation::Auto);
}

TEST(Orientation, TheCornerDecidesUnlessTheNamesContradict) {
  EXPECT_EQ(guess_orientation("Gene", {"1", "2"}, {"3", "4"}).orientation, Orientation::GenesByCells);
  EXPECT_EQ(guess_orientation("barcode", {"1", "2"}, {"3", "4"}).orientation, Orientation::CellsByGenes);
  EXPECT_EQ(guess_orientation("cells", kSymbols, {"a_1", "a_2"}).orientation, Orientation::Auto);
}

TEST(Orientation, ParsesTheOption) {
  EXPECT_EQ(parse_orientation("auto"), Orientation::Auto);
  EXPECT_EQ(parse_orientation("genes-by-cells"), Orientation::GenesByCells);
  EXPECT_EQ(parse_orientation("cells-by-genes"), Orientation::CellsByGenes);
  test::expect_mentions(test::error_of(ErrorKind::Options, [] { parse_orientation("rows"); }),
                        "--orientation", "rows");
}

}  // namespace
}  // namespace regulus::data
