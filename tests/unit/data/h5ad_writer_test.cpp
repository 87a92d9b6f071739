#include <gtest/gtest.h>

#include "regulus/data/h5ad.h"
#include "regulus/storage/hdf5.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

Expression small() {
  return from_dense({"one", "two", "é"}, {"A", "B"}, {1.25F, 0, 0, 0, 3, 0.1F});
}

TEST(H5adWriter, RoundTripKeepsEverything) {
  const test::TempFolder folder;
  const auto path = folder / "x.h5ad";
  write_h5ad(path, small(), {ValueScale::Other, R"({"seed": 1})", {"p", "p", "q"}});
  const Expression read = read_h5ad(path);
  EXPECT_EQ(read.cells, small().cells);
  EXPECT_EQ(read.genes, small().genes);
  EXPECT_EQ(read.row_begin, small().row_begin);
  EXPECT_EQ(read.column, small().column);
  EXPECT_EQ(read.value, small().value);
  EXPECT_EQ(read_h5ad_scale(path), ValueScale::Other);
  EXPECT_EQ(read_obs_column(path, "dataset"), (std::vector<std::string>{"p", "p", "q"}));
  EXPECT_EQ(storage::H5File::open_read(path).read_string("/uns/regulus/provenance"), R"({"seed": 1})");
  EXPECT_FALSE(std::filesystem::exists(folder / "x.h5ad.partial"));
}

TEST(H5adWriter, SameContentGivesTheSameBytes) {
  const test::TempFolder folder;
  write_h5ad(folder / "a.h5ad", small(), {});
  write_h5ad(folder / "b.h5ad", small(), {});
  EXPECT_EQ(test::file_content(folder / "a.h5ad"), test::file_content(folder / "b.h5ad"));
}

TEST(H5adWriter, WritesAMatrixWithoutValues) {
  const test::TempFolder folder;
  write_h5ad(folder / "x.h5ad", from_dense({"one"}, {"A", "B"}, {0, 0}), {});
  EXPECT_EQ(read_h5ad(folder / "x.h5ad").dense(), (std::vector<float>{0, 0}));
}

TEST(H5adWriter, SaysWhereItCannotWrite) {
  const test::TempFolder folder;
  test::expect_mentions(
      test::error_of(ErrorKind::Storage, [&] { write_h5ad(folder / "missing/x.h5ad", small(), {}); }),
      "missing/x.h5ad");
}

TEST(H5adWriter, RefusesPartsThatDoNotFit) {
  const test::TempFolder folder;
  Expression torn = small();
  torn.value.pop_back();
  test::error_of(ErrorKind::Internal, [&] { write_h5ad(folder / "x.h5ad", torn, {}); });
  test::error_of(ErrorKind::Internal, [&] {
    write_h5ad(folder / "x.h5ad", small(), {ValueScale::Counts, "{}", {"p"}});
  });
  EXPECT_FALSE(std::filesystem::exists(folder / "x.h5ad"));
}

}  // namespace
}  // namespace regulus::data
