#include "regulus/data/text_table.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using test::gzipped;
using test::write_file;

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  LineReader reader(file);
  std::vector<std::string> lines;
  std::string_view line;
  while (reader.next(line)) lines.emplace_back(line);
  return lines;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields = {"left", "over", "from", "the", "line", "before", "this", "one"};
  split_fields(line, ',', "here", fields);
  return fields;
}

TEST(LineReader, TakesAnyLineEnd) {
  const test::TempFolder folder;
  EXPECT_EQ(lines_of(write_file(folder / "unix", "a\n\nb\n")), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(lines_of(write_file(folder / "windows", "a\r\nb\r\n")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(lines_of(write_file(folder / "open", "a\nb")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(lines_of(write_file(folder / "mark",
                                "\xEF\xBB\xBF"
                                "a\n")),
            (std::vector<std::string>{"a"}));
}

TEST(LineReader, ReadsLinesLongerThanItsBlocks) {
  const test::TempFolder folder;
  const std::string text = std::string(1000000, 'x') + "\n" + std::string(300000, 'y') + "\nz";
  for (const std::string& content : {text, gzipped(text)}) {
    const auto lines = lines_of(write_file(folder / "long", content));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0], std::string(1000000, 'x'));
    EXPECT_EQ(lines[1], std::string(300000, 'y'));
    EXPECT_EQ(lines[2], "z");
  }
}

TEST(LineReader, ReadsGzipOfSeveralMembers) {
  const test::TempFolder folder;
  EXPECT_EQ(lines_of(write_file(folder / "two", gzipped("a\nb\n") + gzipped("c\n"))),
            (std::vector<std::string>{"a", "b", "c"}));
}

/// So many copies of one gzip member of a mebibyte: a kilobyte each in the file.
std::string unfolding(char content, int copies) {
  const std::string member = test::gzipped(std::string(std::size_t{1} << 20U, content));
  std::string bytes;
  for (int i = 0; i < copies; ++i) bytes += member;
  return bytes;
}

TEST(LineReader, RefusesALineThatGzipUnfoldsWithoutEnd) {
  const test::TempFolder folder;
  const auto file = test::write_file(folder / "x.csv.gz", unfolding('x', 130));
  expect_mentions(error_of(ErrorKind::Input, [&] { TableReader table(file); }), "x.csv.gz", "128 MiB");
}

TEST(TableReader, RefusesColumnsWithoutEnd) {
  const test::TempFolder folder;
  const auto file = test::write_file(folder / "x.csv.gz", unfolding(',', 9));
  expect_mentions(error_of(ErrorKind::Input, [&] { TableReader table(file); }), "line 1", "8388608 columns");
}

TEST(LineReader, RefusesTruncatedGzipWhereverItEnds) {
  const test::TempFolder folder;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919 % 10007) + "\n";
  const std::string whole = gzipped(text);
  for (const std::size_t length :
       {std::size_t{5}, std::size_t{15}, whole.size() / 2, whole.size() - 8, whole.size() - 1}) {
    const auto file = write_file(folder / "cut.gz", whole.substr(0, length));
    expect_mentions(error_of(ErrorKind::Input, [&] { lines_of(file); }), "cut.gz", "truncated or damaged");
  }
}

TEST(LineReader, RefusesDamagedGzip) {
  const test::TempFolder folder;
  std::string packed = gzipped(std::string(1000, 'a') + "bcd");
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  EXPECT_THROW(lines_of(write_file(folder / "bad.gz", packed)), InputError);
}

TEST(LineReader, RefusesWhatIsNotAFileWithText) {
  const test::TempFolder folder;
  expect_mentions(error_of(ErrorKind::Input, [&] { lines_of(folder / "none.csv"); }), "none.csv",
                  "no such file");
  expect_mentions(error_of(ErrorKind::Input, [&] { lines_of(folder.path()); }), "folder");
  expect_mentions(error_of(ErrorKind::Input, [&] { lines_of(write_file(folder / "e.csv", "")); }), "e.csv",
                  "empty");
  expect_mentions(error_of(ErrorKind::Input, [&] { lines_of(write_file(folder / "e.gz", gzipped(""))); }),
                  "empty");
}

TEST(SplitFields, KeepsEmptyFieldsAndQuotes) {
  EXPECT_EQ(fields_of("a,b,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(fields_of(",,"), (std::vector<std::string>{"", "", ""}));
  EXPECT_EQ(fields_of("\"a,b\",\"say \"\"so\"\"\",c"), (std::vector<std::string>{"a,b", "say \"so\"", "c"}));
}

TEST(SplitFields, RefusesAnOpenQuote) {
  expect_mentions(error_of(ErrorKind::Input, [] { fields_of("a,\"b,c"); }), "here", "column 2", "quote");
}

TEST(TableReader, NamesGiveTheSeparator) {
  EXPECT_EQ(separator_of("x/a.csv"), ',');
  EXPECT_EQ(separator_of("a.csv.gz"), ',');
  EXPECT_EQ(separator_of("a.tsv.gz"), '\t');
  EXPECT_THROW(separator_of("a.xlsx"), InputError);
  EXPECT_EQ(base_name("x/STRING.csv.gz"), "STRING");
  EXPECT_EQ(base_name("mESC.part.h5ad"), "mESC.part");
}

TEST(TableReader, RefusesTheWrongSeparatorAndBlankRows) {
  const test::TempFolder folder;
  const auto tabs = write_file(folder / "tabs.csv", "a\tb\n1\t2\n");
  expect_mentions(error_of(ErrorKind::Input, [&] { TableReader{tabs}; }), "line 1", "comma");
  TableReader table(write_file(folder / "blank.csv", "a,b\n1,2\n\n3,4\n"));
  const std::vector<std::string>* row = nullptr;
  ASSERT_TRUE(table.next(row));
  expect_mentions(error_of(ErrorKind::Input, [&] { table.next(row); }), "line 3", "blank");
}

}  // namespace
}  // namespace regulus::data
