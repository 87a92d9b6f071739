#include "regulus/data/alias_table.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using Names = std::vector<std::string>;

AliasTable read(const std::string& name, const std::string& content) {
  const test::TempFolder folder;
  return AliasTable::read(test::write_file(folder / name, content));
}

std::string error_reading(const std::string& content, const std::string& name = "a.tsv") {
  return error_of(ErrorKind::Input, [&] { read(name, content); });
}

TEST(AliasTable, ReadsTablesOfEveryKind) {
  const std::string tabs =
      "# mouse to human\nTrp53\tTP53\n# more\nOct4\tPOU5F1\nOct4\tPOU5F1\nOct4\tPOU5F1B\n\n";
  for (const AliasTable& table :
       {read("a.tsv", tabs), read("a.txt", tabs), read("a.tsv.gz", test::gzipped(tabs)),
        read("a.csv", "Trp53,TP53\r\n\"Oct4\", POU5F1\r\nOct4,POU5F1B\r\n")}) {
    EXPECT_EQ(table.size(), 2);
    EXPECT_EQ(table.symbols_of("Trp53"), Names{"TP53"});
    EXPECT_EQ(table.symbols_of("Oct4"), (Names{"POU5F1", "POU5F1B"}));
    EXPECT_TRUE(table.symbols_of("OCT4").empty());
  }
}

TEST(AliasTable, TheFirstRowMayBeAHeader) {
  const AliasTable table = read("a.csv", "# c\nalias,Symbol\nx,y\n");
  EXPECT_EQ(table.size(), 1);
  EXPECT_TRUE(table.symbols_of("alias").empty());
  EXPECT_EQ(read("a.csv", "x,y\nalias,symbol\n").symbols_of("alias"), Names{"symbol"});
  EXPECT_EQ(read("a.csv", "gene,y\n").symbols_of("gene"), Names{"y"});
}

TEST(AliasTable, SelfAliasesAreIgnored) {
  EXPECT_EQ(read("a.csv", "x,x\nx,y\n").symbols_of("x"), Names{"y"});
  EXPECT_EQ(read("a.csv", "x,x\n").size(), 0);
}

TEST(AliasTable, RefusesRowsThatAreNone) {
  expect_mentions(error_reading("a\tb\na\n"), "a.tsv, line 2", "1 columns instead of 2");
  expect_mentions(error_reading("a\tb\nc\td\te\n"), "line 2", "3 columns");
  expect_mentions(error_reading("a,b\n"), "line 1", "1 columns");
  expect_mentions(error_reading("a\tb\n\t d\n"), "line 2", "column 1 is empty");
  expect_mentions(error_reading("a\tb\nc\t \n"), "line 2", "column 2 is empty");
  expect_mentions(error_reading("a\tb\n\nc\td\n"), "line 2", "blank line");
  expect_mentions(error_reading("a,\"b\n", "a.csv"), "line 1", "quote");
}

TEST(AliasTable, RefusesWhatIsNoText) {
  for (const std::string bytes : {"\xff\xfe", "\xe9", "\xc0\x80", "\xed\xa0\x80", "\xe0\x80\x80",
                                  "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xe2\x82"})
    expect_mentions(error_reading("a\tb\nc" + bytes + "\td\n"), "line 2", "not UTF-8");
  expect_mentions(error_reading(std::string("a\tb\0\n", 5)), "line 1", "not UTF-8");
  EXPECT_EQ(read("a.tsv", "β\t€𝛽\n").symbols_of("β"), Names{"€𝛽"});
}

TEST(AliasTable, RefusesFilesWithoutAliases) {
  expect_mentions(error_reading("# nothing\n"), "a.tsv", "no alias");
  expect_mentions(error_reading("alias\tsymbol\n"), "no alias");
  expect_mentions(error_reading(""), "empty");
  expect_mentions(error_reading("a b\n", "a.dat"), "a.dat", ".csv");
  expect_mentions(error_of(ErrorKind::Input, [] { AliasTable::read("/nowhere/a.tsv"); }), "/nowhere/a.tsv");
  expect_mentions(error_reading(test::gzipped("a\tb\n").substr(0, 12), "a.tsv.gz"), "gzip");
}

}  // namespace
}  // namespace regulus::data
