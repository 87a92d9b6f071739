#include "regulus/data/gene_list.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using test::write_file;

std::string error_reading(const std::string& content) {
  const test::TempFolder folder;
  const auto file = write_file(folder / "tfs.txt", content);
  return error_of(ErrorKind::Input, [&] { read_gene_list(file); });
}

TEST(GeneList, KeepsTheOrderAndDropsSpaces) {
  const test::TempFolder folder;
  EXPECT_EQ(read_gene_list(write_file(folder / "a.txt", "SOX2\r\n  AES \r\nNkx2-5\r\n\r\n")),
            (std::vector<std::string>{"SOX2", "AES", "Nkx2-5"}));
}

TEST(GeneList, RefusesWhatIsNotAList) {
  expect_mentions(error_reading(""), "tfs.txt", "empty");
  expect_mentions(error_reading("\n \n"), "tfs.txt", "empty");
  expect_mentions(error_reading("A\nB\nA\n"), "line 3", "gene A is listed twice", "line 1");
  expect_mentions(error_reading("A,B\n"), "line 1", "one symbol a line");
  expect_mentions(error_reading("A\tB\n"), "line 1", "one symbol a line");
}

}  // namespace
}  // namespace regulus::data
