#include "regulus/data/prepare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "h5ad_sample.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using test::write_file;
using Names = std::vector<std::string>;

PrepareOptions of(const std::vector<std::filesystem::path>& inputs, Normalise normalise = Normalise::None) {
  PrepareOptions options;
  options.inputs = inputs;
  options.normalise = normalise;
  return options;
}

TEST(Prepare, NormalisesOverAllGenesOfTheCell) {
  const test::TempFolder folder;
  const Prepared prepared =
      prepare(of({write_file(folder / "a.csv", ",c_1,c_2\nSOX2,1,0\nAES,3,5\n")}, Normalise::Auto));
  EXPECT_EQ(prepared.scale, ValueScale::LogNormalised);
  const auto values = prepared.expression.dense();
  EXPECT_FLOAT_EQ(values[0], static_cast<float>(std::log(2501.0)));
  EXPECT_FLOAT_EQ(values[3], static_cast<float>(std::log(10001.0)));
  EXPECT_EQ(prepared.dataset, (Names{"a", "a"}));
}

TEST(Prepare, JoinsInputsOverTheUnionOfTheirGenes) {
  const test::TempFolder folder;
  const Prepared prepared =
      prepare(of({write_file(folder / "a.csv", ",c_1,c_2\nSOX2,1,0\nAES,3,5\n"),
                  write_file(folder / "b.tsv", "\tKLF4\tAES\nc_1\t7\t0\nc_9\t8\t9\n")}));
  EXPECT_EQ(prepared.expression.genes, (Names{"SOX2", "AES", "KLF4"}));
  EXPECT_EQ(prepared.expression.cells, (Names{"c_1", "c_2", "c_1-1", "c_9"}));
  EXPECT_EQ(prepared.dataset, (Names{"a", "a", "b", "b"}));
  EXPECT_EQ(prepared.expression.dense(), (std::vector<float>{1, 3, 0, 0, 5, 0, 0, 0, 7, 0, 9, 8}));
  EXPECT_EQ(prepared.expression.column, (std::vector<std::int32_t>{0, 1, 1, 2, 1, 2}));
  EXPECT_EQ(prepared.scale, ValueScale::Counts);
}

TEST(Prepare, ReadsAnnDataAndDropsEmptyCells) {
  const test::TempFolder folder;
  const Prepared prepared = prepare(of({test::write_sample(folder / "x.h5ad", {})}, Normalise::Auto));
  EXPECT_EQ(prepared.expression.cells, (Names{"one", "three"}));
  EXPECT_EQ(prepared.expression.dense(), (std::vector<float>{1, 0, 2, 0, 4, 0.5F}));
}

TEST(Prepare, UpperCaseSumsCountsBeforeNormalising) {
  const test::TempFolder folder;
  PrepareOptions options = of({write_file(folder / "a.csv", ",c_1,c_2\nSox2,1,0\nSOX2,2,4\nAes,1,0\n")});
  options.upper_case = true;
  const Prepared prepared = prepare(options);
  EXPECT_EQ(prepared.expression.genes, (Names{"SOX2", "AES"}));
  EXPECT_EQ(prepared.expression.dense(), (std::vector<float>{3, 1, 4, 0}));
  EXPECT_EQ(prepared.expression.column, (std::vector<std::int32_t>{0, 1, 0}));
}

TEST(Prepare, UpperCaseCannotAddLogarithms) {
  const test::TempFolder folder;
  PrepareOptions options = of({write_file(folder / "a.csv", ",c_1,c_2\nSox2,1.5,0\nSOX2,2,4\n")});
  options.upper_case = true;
  expect_mentions(error_of(ErrorKind::Input, [&] { prepare(options); }), "a.csv", "SOX2", "logarithms");
}

TEST(Prepare, RefusesAMixOfScales) {
  const test::TempFolder folder;
  const auto counts = write_file(folder / "a.csv", ",c_1\nSOX2,1\n");
  const auto logs = write_file(folder / "b.csv", ",c_2\nSOX2,1.5\n");
  expect_mentions(error_of(ErrorKind::Input,
                           [&] {
                             prepare(of({counts, logs}));
                           }),
                  "b.csv", "log-normalised", "a.csv are counts");
  EXPECT_EQ(prepare(of({counts, logs}, Normalise::Auto)).scale, ValueScale::LogNormalised);
}

TEST(Prepare, RefusesWhatItCannotUse) {
  const test::TempFolder folder;
  const auto zeros = write_file(folder / "zeros.csv", ",c_1\nSOX2,0\n");
  expect_mentions(error_of(ErrorKind::Input, [&] { prepare(of({zeros})); }), "zeros.csv", "every value is 0");
  const auto book = write_file(folder / "book.xlsx", "x");
  expect_mentions(error_of(ErrorKind::Input, [&] { prepare(of({book})); }), "book.xlsx", ".csv");
  error_of(ErrorKind::Options, [] { prepare({}); });
}

TEST(MakeUnique, AppendsNumbersThatAreFree) {
  Names names = {"a", "b", "a", "a-1", "a"};
  EXPECT_EQ(make_unique(names), 2);
  EXPECT_EQ(names, (Names{"a", "b", "a-2", "a-1", "a-3"}));
  EXPECT_EQ(make_unique(names), 0);
}

}  // namespace
}  // namespace regulus::data
