#include "regulus/data/network.h"

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
  const auto file = write_file(folder / "net.csv", content);
  return error_of(ErrorKind::Input, [&] { read_network(file); });
}

TEST(Network, IsSortedDistinctAndWithoutSelfLoops) {
  const test::TempFolder folder;
  const std::string text =
      "Gene1,Gene2,Type\r\nSOX2,NANOG,+\r\nKLF4,SOX2,-\r\nSOX2,NANOG,+\r\nSOX2,SOX2,+\r\n";
  for (const std::string& content : {text, test::gzipped(text)}) {
    const Network network = read_network(write_file(folder / "STRING.csv.gz", content));
    EXPECT_EQ(network.name, "STRING");
    EXPECT_EQ(network.edges, (std::vector<Edge>{{"KLF4", "SOX2"}, {"SOX2", "NANOG"}}));
  }
}

TEST(Network, RoundTripKeepsAwkwardNames) {
  const test::TempFolder folder;
  const Network network = make_network("net", {{"a,b", "say \"so\""}, {"Nkx2-5", "7SK"}});
  write_network(folder / "net.csv", network);
  EXPECT_EQ(read_network(folder / "net.csv").edges, network.edges);
  EXPECT_EQ(test::file_content(folder / "net.csv").substr(0, 12), "Gene1,Gene2\n");
}

TEST(Network, RefusesWhatIsNotANetwork) {
  expect_mentions(error_reading("TF,Target\nA,B\n"), "net.csv, line 1", "Gene1,Gene2");
  expect_mentions(error_reading("Gene1,Gene2\nA,B\nC\n"), "line 3", "1 columns");
  expect_mentions(error_reading("Gene1,Gene2\nA,B,+\n"), "line 2", "3 columns");
  expect_mentions(error_reading("Gene1,Gene2\nA,\n"), "line 2, column 2", "empty");
  expect_mentions(error_reading("Gene1,Gene2\n"), "no edge");
  expect_mentions(error_reading("Gene1,Gene2\nA,A\n"), "no edge");
  expect_mentions(error_reading(""), "empty");
}

TEST(Network, SaysWhereItCannotWrite) {
  const test::TempFolder folder;
  const Network network = make_network("net", {{"A", "B"}});
  expect_mentions(error_of(ErrorKind::Storage, [&] { write_network(folder / "missing/net.csv", network); }),
                  "net.csv");
}

}  // namespace
}  // namespace regulus::data
