#include "regulus/data/cell_reader.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "h5ad_sample.h"
#include "regulus/core/random.h"
#include "regulus/data/h5ad.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using storage::H5File;
using test::error_of;
using test::expect_mentions;
using test::SparseSample;
using test::write_sample;
using Cells = std::vector<std::int64_t>;

comm::Communicator self() {
  return comm::Communicator::self();
}

Cells all_cells(const CellReader& reader) {
  Cells cells(static_cast<std::size_t>(reader.cell_count()));
  std::iota(cells.begin(), cells.end(), 0);
  return cells;
}

/// Whole and row by row, the same as a whole reading of the file.
void expect_same_rows(const std::filesystem::path& file) {
  const Expression expected = read_h5ad(file);
  const CellReader reader(file);
  EXPECT_EQ(reader.genes(), expected.genes);
  ASSERT_EQ(reader.cell_count(), expected.cell_count());
  EXPECT_EQ(reader.read_rows(all_cells(reader)), expected.dense());
  for (std::int64_t cell = 0; cell < reader.cell_count(); ++cell)
    ASSERT_EQ(reader.read_rows(Cells{cell}), expected.dense_row(cell)) << cell;
  EXPECT_EQ(mean_of_cells(self(), reader, all_cells(reader)), expected.gene_means());
}

std::string error_with(const std::function<void(SparseSample&)>& change, const Cells& cells) {
  const test::TempFolder folder;
  SparseSample sample;
  change(sample);
  const auto file = write_sample(folder / "x.h5ad", sample);
  return error_of(ErrorKind::Input, [&] { CellReader(file).read_rows(cells); });
}

SparseSample csc_sample() {
  SparseSample sample;
  sample.encoding = "csc_matrix";
  sample.begin = {0, 1, 2, 4};
  sample.indices = {0, 2, 0, 2};
  sample.data = {1, 4, 2, 0.5};
  return sample;
}

TEST(CellReader, ReadsEveryLayoutAsAWholeReadingDoes) {
  const test::TempFolder folder;
  expect_same_rows(write_sample(folder / "csr.h5ad", {}));
  expect_same_rows(write_sample(folder / "csc.h5ad", csc_sample()));
  SparseSample forerunner;
  forerunner.forerunner = true;
  forerunner.encoding = "csr";
  expect_same_rows(write_sample(folder / "forerunner.h5ad", forerunner));
  SparseSample unordered;
  unordered.begin = {0, 4, 4, 6};
  unordered.indices = {2, 0, 1, 2, 2, 1};
  unordered.data = {0.5, 1, 0, 1.5, 0.5, 4};
  expect_same_rows(write_sample(folder / "unordered.h5ad", unordered));
  auto dense = H5File::create(folder / "dense.h5ad");
  test::write_names(dense, "/obs", {"one", "two"});
  test::write_names(dense, "/var", {"A", "B", "C"});
  dense.write<double>("/X", {1, 0, 0.25, 0, 7, 0}, {2, 3});
  dense.close();
  expect_same_rows(folder / "dense.h5ad");
}

TEST(CellReader, ReadsMoreRowsThanOneBlock) {
  const test::TempFolder folder;
  SparseSample sample;
  sample.cells.clear();
  sample.begin = {0};
  sample.indices.clear();
  sample.data.clear();
  RandomStream random(1, "test.cells");
  for (std::int64_t cell = 0; cell < 9000; ++cell) {
    sample.cells.push_back(std::to_string(cell));
    for (std::int64_t gene = 0; gene < 3; ++gene) {
      if (random.below(2) == 0) continue;
      sample.indices.push_back(gene);
      sample.data.push_back(random.uniform());
    }
    sample.begin.push_back(static_cast<std::int64_t>(sample.data.size()));
  }
  sample.shape = {9000, 3};
  const auto file = write_sample(folder / "x.h5ad", sample);
  const CellReader reader(file);
  const Expression expected = read_h5ad(file);
  EXPECT_EQ(reader.read_rows(all_cells(reader)), expected.dense());
  const auto means = mean_of_cells(self(), reader, all_cells(reader));
  for (std::size_t gene = 0; gene < 3; ++gene)
    EXPECT_NEAR(means[gene], expected.gene_means()[gene], 0x1p-33);  // the sums' resolution is 2^-32
}

TEST(CellReader, GivesCellsInTheOrderAsked) {
  const test::TempFolder folder;
  const CellReader reader(write_sample(folder / "x.h5ad", {}));
  EXPECT_EQ(reader.read_rows(Cells{2, 0, 1, 2}),
            (std::vector<float>{0, 4, 0.5F, 1, 0, 2, 0, 0, 0, 0, 4, 0.5F}));
  EXPECT_EQ(reader.read_rows(Cells{0, 2, 2}), (std::vector<float>{1, 0, 2, 0, 4, 0.5F, 0, 4, 0.5F}));
  EXPECT_TRUE(reader.read_rows(Cells{}).empty());
  for (const std::int64_t cell : {-1, 3})
    expect_mentions(error_of(ErrorKind::Internal, [&] { reader.read_rows(Cells{cell}); }), "of 3 was asked");
}

TEST(CellReader, RefusesWhatContradictsWhenItOpens) {
  expect_mentions(error_with([](auto& s) { s.shape = {3, 4}; }, {}), "x.h5ad:/X", "3 x 4", "3 of genes");
  expect_mentions(error_with([](auto& s) { s.cells.pop_back(); }, {}), "2 names of cells");
  expect_mentions(error_with([](auto& s) { s.indices.pop_back(); }, {}), "/X/indices", "3 entries");
  expect_mentions(error_with([](auto& s) { s.begin.pop_back(); }, {}), "/X/indptr", "3 entries instead of 4");
  expect_mentions(error_with([](auto& s) { s.begin = {1, 2, 2, 4}; }, {}), "/X/indptr", "starts with 1");
  expect_mentions(error_with([](auto& s) { s.begin = {0, 2, 2, 5}; }, {}), "/X/indptr", "ends with 5");
  expect_mentions(error_with([](auto& s) { s.genes[2] = "A"; }, {}), "/var", "gene A appears twice");
  expect_mentions(error_with([](auto& s) { s.encoding = "coo_matrix"; }, {}), "unknown encoding");
}

/// The scale is recorded, so that opening reads no row.
std::filesystem::path write_recorded(const std::filesystem::path& path, const SparseSample& sample) {
  write_sample(path, sample);
  auto file = H5File::open_update(path);
  file.write_string("/uns/regulus/scale", "log-normalised");
  file.close();
  return path;
}

std::string error_reading(const std::function<void(SparseSample&)>& change, std::int64_t cell) {
  const test::TempFolder folder;
  SparseSample sample;
  change(sample);
  const CellReader reader(write_recorded(folder / "x.h5ad", sample));
  return error_of(ErrorKind::Input, [&] { reader.read_rows(Cells{cell}); });
}

TEST(CellReader, FindsDamageInTheRowsThatItReads) {
  expect_mentions(error_reading(
                      [](auto& s) {
                        s.begin = {0, 3, 2, 4};
                      },
                      1),
                  "/X/indptr", "decreases at entry 2, from 3 to 2");
  expect_mentions(error_reading(
                      [](auto& s) {
                        s.begin = {0, 9, 2, 4};
                      },
                      0),
                  "/X/indptr", "from 0 to 9", "outside 0 to 4");
  expect_mentions(error_reading([](auto& s) { s.begin = {0, -9, 2, 4}; }, 1), "/X/indptr", "from -9 to 2");
  expect_mentions(error_reading([](auto& s) { s.indices[3] = 3; }, 2), "/X/indices", "entry 3 is 3",
                  "0 to 2");
  expect_mentions(error_reading([](auto& s) { s.indices[3] = -1; }, 2), "/X/indices", "entry 3 is -1");
  expect_mentions(error_reading([](auto& s) { s.data[2] = -1; }, 2), "gene B in cell three", "negative (-1)");
  expect_mentions(error_reading([](auto& s) { s.data[1] = 1e60; }, 0), "gene C in cell one",
                  "not a finite number");
  const test::TempFolder folder;
  SparseSample sample;
  sample.data[2] = -1;
  const CellReader reader(write_recorded(folder / "x.h5ad", sample));
  EXPECT_EQ(reader.read_rows(Cells{0}), (std::vector<float>{1, 0, 2}));
}

TEST(CellReader, TakesTheScalesThatAWholeReadingTakes) {
  const test::TempFolder folder;
  SparseSample sample;
  sample.data = {1, 2, 4, 5};
  const auto counts = write_sample(folder / "counts.h5ad", sample);
  expect_mentions(error_of(ErrorKind::Input, [&] { CellReader{counts}; }), "raw counts", "regulus prepare");
  EXPECT_EQ(CellReader(write_recorded(folder / "recorded.h5ad", sample)).cell_count(), 3);
  sample.data = {1, 2, 400, 0.5};
  const auto unclear = write_sample(folder / "tpm.h5ad", sample);
  expect_mentions(error_of(ErrorKind::Input, [&] { CellReader{unclear}; }), "not look log-normalised");
  const auto table = test::write_file(folder / "x.csv", ",c_1\nSOX2,1\n");
  expect_mentions(error_of(ErrorKind::Input, [&] { CellReader{table}; }), "not an .h5ad", "regulus prepare");
  expect_mentions(error_of(ErrorKind::Input, [&] { CellReader{folder / "none.h5ad"}; }), "none.h5ad");
}

/// More cells than are sampled and than a column is read at once; only the last is different.
TEST(CellReader, LooksAtCellsFromAllOverTheFile) {
  const test::TempFolder folder;
  constexpr std::int64_t kCells = 70000;
  std::vector<std::string> names(kCells, "cell");
  std::vector<float> values(kCells, 1.0F);
  std::vector<std::int8_t> codes(kCells, 0);
  names.back() = "last";
  values.back() = 0.5F;
  codes.back() = 1;
  auto file = H5File::create(folder / "x.h5ad");
  test::write_names(file, "/obs", names);
  file.write("/obs/kind/codes", codes);
  file.write_strings("/obs/kind/categories", {"usual"});
  test::write_names(file, "/var", {"A"});
  file.write<float>("/X", values, {kCells, 1});
  file.close();
  const CellReader reader(folder / "x.h5ad");
  EXPECT_EQ(reader.cell_count(), kCells);
  EXPECT_EQ(reader.cells_where("names", "last"), Cells{kCells - 1});
  expect_mentions(error_of(ErrorKind::Input, [&] { reader.cells_where("kind", "usual"); }),
                  "entry 69999 has category 1 of 1");
}

class Selection : public ::testing::Test {
 protected:
  Selection() {
    write_sample(folder_ / "x.h5ad", {});
    auto file = H5File::open_update(folder_ / "x.h5ad");
    file.write_strings("/obs/text", {"a", "b", "a"});
    file.write<std::int64_t>("/obs/number", {1, 2, 1});
    file.write<std::int8_t>("/obs/category/codes", {1, -1, 0});
    file.write_strings("/obs/category/categories", {"left", "right"});
    file.write<std::uint8_t>("/obs/nullable/values", {1, 0, 0});
    file.write<std::uint8_t>("/obs/nullable/mask", {0, 1, 0});
    file.write<std::int8_t>("/obs/damaged/codes", {0, 2, 0});
    file.write_strings("/obs/damaged/categories", {"left", "right"});
    file.write_strings("/obs/short", {"a", "b"});
    file.close();
  }

  Cells where(const std::string& column, const std::string& value) const {
    return CellReader(folder_ / "x.h5ad").cells_where(column, value);
  }
  std::string error_where(const std::string& column, const std::string& value) const {
    return error_of(ErrorKind::Input, [&] { where(column, value); });
  }

  test::TempFolder folder_;
};

TEST_F(Selection, FindsCellsByColumnsOfEveryKind) {
  EXPECT_EQ(where("text", "a"), (Cells{0, 2}));
  EXPECT_EQ(where("number", "2"), (Cells{1}));
  EXPECT_EQ(where("category", "left"), (Cells{2}));
  EXPECT_EQ(where("category", ""), (Cells{1}));
  EXPECT_EQ(where("nullable", "True"), (Cells{0}));
  EXPECT_EQ(where("nullable", "false"), (Cells{2}));
  EXPECT_EQ(where("nullable", "0"), (Cells{2}));
  EXPECT_EQ(where("names", "three"), (Cells{2}));
}

TEST_F(Selection, NamesWhatThereIs) {
  expect_mentions(error_where("text", "True"), "x.h5ad:/obs/text", "no cell has the value 'True'", "a, b");
  expect_mentions(error_where("category", "up"), "right, (missing), left");
  expect_mentions(error_where("none", "a"), "/obs/none", "no such column",
                  "category, damaged, names, nullable, number, short, text");
  expect_mentions(error_where("", "a"), "no such column");
  expect_mentions(error_where("damaged", "left"), "/obs/damaged", "category 2 of 2");
  expect_mentions(error_where("short", "a"), "/obs/short", "2 entries for 3 cells");
}

TEST(CellReader, ListsTenValuesAtMost) {
  const test::TempFolder folder;
  std::vector<std::string> names;
  for (int cell = 10; cell < 30; ++cell) names.push_back("c" + std::to_string(cell));
  write_h5ad(folder / "x.h5ad", from_dense(names, {"A"}, std::vector<float>(20, 0.5F)), {});
  const CellReader reader(folder / "x.h5ad");
  const std::string error = error_of(ErrorKind::Input, [&] { reader.cells_where("_index", "c1"); });
  expect_mentions(error, "c10, c11", "c19, …");
  EXPECT_EQ(error.find("c20"), std::string::npos);
}

TEST(MeanOfCells, TakesTheCellsAndTheTransformation) {
  const test::TempFolder folder;
  const CellReader reader(write_sample(folder / "x.h5ad", {}));
  EXPECT_EQ(mean_of_cells(self(), reader, Cells{0, 2}), (std::vector<double>{0.5, 2, 1.25}));
  EXPECT_EQ(mean_of_cells(self(), reader, Cells{}), (std::vector<double>{0, 0, 0}));
  const CellTransform add_number = [](std::int64_t cell, std::span<float> values) {
    for (float& value : values) value = 10 * value + static_cast<float>(cell);
  };
  EXPECT_EQ(mean_of_cells(self(), reader, Cells{2, 0}, add_number), (std::vector<double>{6, 21, 13.5}));
  EXPECT_EQ(mean_of_cells(self(), reader, all_cells(reader), add_number),
            (std::vector<double>{(10.0 + 3) / 3, (40.0 + 3) / 3, (25.0 + 3) / 3}));
}

}  // namespace
}  // namespace regulus::data
