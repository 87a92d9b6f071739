#include "regulus/data/csv_expression.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using test::write_file;

constexpr const char* kBeeline = ",E1_0,E2_0\nSOX2,1.5,0\nPOU5F1,0,2\nNANOG,3,0\n";

Expression read(const std::string& content, Orientation orientation = Orientation::Auto,
                const std::string& name = "x.csv") {
  const test::TempFolder folder;
  return read_csv_expression(write_file(folder / name, content), orientation);
}

std::string error_reading(const std::string& content) {
  return error_of(ErrorKind::Input, [&] { read(content, Orientation::GenesByCells); });
}

void expect_beeline(const Expression& expression) {
  EXPECT_EQ(expression.genes, (std::vector<std::string>{"SOX2", "POU5F1", "NANOG"}));
  EXPECT_EQ(expression.cells, (std::vector<std::string>{"E1_0", "E2_0"}));
  EXPECT_EQ(expression.dense(), (std::vector<float>{1.5F, 0, 3, 0, 2, 0}));
}

TEST(CsvExpression, ReadsGenesByCellsWithEveryCorner) {
  expect_beeline(read(kBeeline));
  expect_beeline(read("gene,E1_0,E2_0\nSOX2,1.5,0\nPOU5F1,0,2\nNANOG,3,0\n"));
  expect_beeline(read("E1_0,E2_0\nSOX2,1.5,0\nPOU5F1,0,2\nNANOG,3,0\n"));
}

TEST(CsvExpression, ReadsCellsByGenes) {
  expect_beeline(read(",SOX2,POU5F1,NANOG\nE1_0,1.5,0,3\nE2_0,0,2,0\n"));
  expect_beeline(read("SOX2,POU5F1,NANOG\nE1_0,1.5,0,3\nE2_0,0,2,0\n", Orientation::CellsByGenes));
}

TEST(CsvExpression, ReadsEveryDialect) {
  expect_beeline(
      read("\"\",\"E1_0\",\"E2_0\"\r\n\"SOX2\",1.5,0\r\nPOU5F1, 0 ,2e0\r\nNANOG,\"3\",0.0\r\n\r\n"));
  expect_beeline(read("\tE1_0\tE2_0\nSOX2\t1.5\t0\nPOU5F1\t0\t2\nNANOG\t3\t0", Orientation::Auto, "x.tsv"));
  expect_beeline(read(test::gzipped(kBeeline), Orientation::Auto, "x.csv.gz"));
  expect_beeline(read(test::gzipped(kBeeline)));
}

TEST(CsvExpression, TheOptionWinsOverTheNames) {
  const Expression expression = read(kBeeline, Orientation::CellsByGenes);
  EXPECT_EQ(expression.cells, (std::vector<std::string>{"SOX2", "POU5F1", "NANOG"}));
  EXPECT_EQ(expression.dense(), (std::vector<float>{1.5F, 0, 0, 2, 3, 0}));
}

TEST(CsvExpression, AsksForTheOrientationItCannotTell) {
  const std::string text = error_of(ErrorKind::Input, [] { read(",S1,S2\nA1,1,0\nA2,0,2\n"); });
  expect_mentions(text, "x.csv", "--orientation genes-by-cells");
  EXPECT_THROW(read(",ACTB,GAPDH\nSOX2,1,0\nNANOG,0,2\n"), InputError);
}

TEST(CsvExpression, RefusesRaggedRows) {
  expect_mentions(error_reading(",c1,c2\nA,1,2\nB,1\n"), "line 3", "2 columns");
  expect_mentions(error_reading(",c1,c2\nA,1,2\nB,1,2,3\n"), "line 3", "4 columns");
  expect_mentions(error_reading(",c1,c2\nA,1,2,3,4\n"), "line 2");
}

TEST(CsvExpression, RefusesValuesThatAreNoCounts) {
  expect_mentions(error_reading(",c1,c2\nA,1,2\nB,1,NA\n"), "x.csv, line 3, column 3",
                  "'NA' is not a number");
  expect_mentions(error_reading(",c1,c2\nA,1,\n"), "line 2, column 3", "missing");
  expect_mentions(error_reading(",c1,c2\nA,1,2x\n"), "'2x' is not a number");
  expect_mentions(error_reading(",c1,c2\nA,nan,2\n"), "line 2, column 2", "not finite");
  expect_mentions(error_reading(",c1,c2\nA,inf,2\n"), "not finite");
  expect_mentions(error_reading(",c1,c2\nA,1e60,2\n"), "not finite");
  expect_mentions(error_reading(",c1,c2\nA,1e999,2\n"), "not finite");
  expect_mentions(error_reading(",c1,c2\nA,1,-0.5\n"), "line 2, column 3", "negative");
  EXPECT_EQ(read(",c1,c2\nA,1e-999,2\n", Orientation::GenesByCells).dense(), (std::vector<float>{0, 2}));
}

TEST(CsvExpression, RefusesRepeatedAndEmptyNames) {
  expect_mentions(error_reading(",c1,c2\nA,1,2\nB,1,2\nA,3,4\n"), "line 4", "gene A appears twice", "line 2");
  expect_mentions(error_reading(",c1,c1\nA,1,2\n"), "line 1, column 3", "cell c1 appears twice");
  expect_mentions(error_reading("c1,c1\nA,1,2\n"), "line 1, column 2");
  expect_mentions(error_reading(",c1,c2\n,1,2\n"), "line 2", "name of the gene is empty");
  expect_mentions(
      error_of(ErrorKind::Input, [] { read(",A,B\nc1,1,2\nc1,1,2\n", Orientation::CellsByGenes); }), "line 3",
      "cell c1 appears twice");
}

TEST(CsvExpression, RefusesEmptyFiles) {
  expect_mentions(error_reading(""), "empty");
  expect_mentions(error_reading(",c1,c2\n"), "no rows");
  expect_mentions(error_reading("\n,c1\n"), "header");
}

}  // namespace
}  // namespace regulus::data
