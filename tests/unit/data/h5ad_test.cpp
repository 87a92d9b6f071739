#include "regulus/data/h5ad.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "h5ad_sample.h"
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

const std::vector<float> kValues = {1, 0, 2, 0, 0, 0, 0, 4, 0.5F};

std::string error_with(const std::function<void(SparseSample&)>& change) {
  const test::TempFolder folder;
  SparseSample sample;
  change(sample);
  const auto file = write_sample(folder / "x.h5ad", sample);
  return error_of(ErrorKind::Input, [&] { read_h5ad(file); });
}

/// A dense file of two cells and two genes with values of any type.
template <typename T>
std::filesystem::path write_dense(const std::filesystem::path& path, const std::vector<T>& values,
                                  const std::vector<std::int64_t>& shape = {2, 2}) {
  auto file = H5File::create(path);
  test::write_names(file, "/obs", {"one", "two"});
  test::write_names(file, "/var", {"A", "B"});
  file.write("/X", values, shape);
  file.close();
  return path;
}

TEST(H5ad, ReadsCsr) {
  const test::TempFolder folder;
  const Expression expression = read_h5ad(write_sample(folder / "x.h5ad", {}));
  EXPECT_EQ(expression.cells, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(expression.genes, (std::vector<std::string>{"A", "B", "C"}));
  EXPECT_EQ(expression.dense(), kValues);
  EXPECT_FALSE(read_h5ad_scale(folder / "x.h5ad").has_value());
}

TEST(H5ad, ReadsCsc) {
  const test::TempFolder folder;
  SparseSample sample;
  sample.encoding = "csc_matrix";
  sample.begin = {0, 1, 2, 4};
  sample.indices = {0, 2, 0, 2};
  sample.data = {1, 4, 2, 0.5};
  const Expression expression = read_h5ad(write_sample(folder / "x.h5ad", sample));
  EXPECT_EQ(expression.dense(), kValues);
  EXPECT_EQ(expression.row_begin, (std::vector<std::int64_t>{0, 2, 2, 4}));
}

TEST(H5ad, ReadsTheForerunnersOfTheEncoding) {
  const test::TempFolder folder;
  SparseSample sample;
  sample.forerunner = true;
  sample.encoding = "csr";
  EXPECT_EQ(read_h5ad(write_sample(folder / "x.h5ad", sample)).dense(), kValues);
}

TEST(H5ad, OrdersSumsAndDropsAsASparseMatrixMeans) {
  const test::TempFolder folder;
  SparseSample sample;
  sample.begin = {0, 4, 4, 6};
  sample.indices = {2, 0, 1, 2, 2, 1};
  sample.data = {0.5, 1, 0, 1.5, 0.5, 4};
  const Expression expression = read_h5ad(write_sample(folder / "x.h5ad", sample));
  EXPECT_EQ(expression.dense(), kValues);
  EXPECT_EQ(expression.column, (std::vector<std::int32_t>{0, 2, 1, 2}));
}

TEST(H5ad, ReadsDenseOfEveryType) {
  const test::TempFolder folder;
  const std::vector<float> expected = {1, 0, 0, 200};
  EXPECT_EQ(read_h5ad(write_dense<float>(folder / "f", {1, 0, 0, 200})).dense(), expected);
  EXPECT_EQ(read_h5ad(write_dense<double>(folder / "d", {1, 0, 0, 200})).dense(), expected);
  EXPECT_EQ(read_h5ad(write_dense<std::int32_t>(folder / "i", {1, 0, 0, 200})).dense(), expected);
  EXPECT_EQ(read_h5ad(write_dense<std::int64_t>(folder / "l", {1, 0, 0, 200})).dense(), expected);
  EXPECT_EQ(read_h5ad(write_dense<std::uint8_t>(folder / "u", {1, 0, 0, 200})).dense(), expected);
}

TEST(H5ad, RefusesSizesThatContradict) {
  expect_mentions(error_with([](auto& s) { s.shape = {3, 4}; }), "x.h5ad:/X", "3 x 4", "3 of genes");
  expect_mentions(error_with([](auto& s) { s.shape = {9}; }), "/X");
  expect_mentions(error_with([](auto& s) { s.cells.pop_back(); }), "2 names of cells");
  expect_mentions(error_with([](auto& s) { s.indices.pop_back(); }), "/X/indices", "3 entries");
  expect_mentions(error_with([](auto& s) { s.begin.pop_back(); }), "/X/indptr", "3 entries instead of 4");
  const test::TempFolder folder;
  const auto file = write_dense<float>(folder / "x.h5ad", {1, 2, 3, 4, 5, 6}, {2, 3});
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(file); }), "2 x 3");
}

TEST(H5ad, RefusesDamagedOffsetsAndIndices) {
  expect_mentions(error_with([](auto& s) { s.begin = {1, 2, 2, 4}; }), "/X/indptr", "starts with 1");
  expect_mentions(error_with([](auto& s) { s.begin = {0, 3, 2, 4}; }), "/X/indptr", "decreases at entry 2");
  expect_mentions(error_with([](auto& s) { s.begin = {0, 2, 2, 3}; }), "/X/indptr", "ends with 3");
  expect_mentions(error_with([](auto& s) { s.begin = {0, 2, 2, 5}; }), "/X/indptr", "ends with 5");
  expect_mentions(error_with([](auto& s) { s.indices[1] = 3; }), "/X/indices", "entry 1 is 3", "0 to 2");
  expect_mentions(error_with([](auto& s) { s.indices[1] = -1; }), "/X/indices", "entry 1 is -1");
}

TEST(H5ad, NamesTheCellAndGeneOfAWrongValue) {
  expect_mentions(error_with([](auto& s) { s.data[2] = -1; }), "gene B in cell three", "negative (-1)");
  expect_mentions(error_with([](auto& s) { s.data[3] = std::numeric_limits<double>::quiet_NaN(); }),
                  "gene C in cell three", "not a finite number");
  expect_mentions(error_with([](auto& s) { s.data[0] = 1e60; }), "gene A in cell one", "not a finite number");
  const test::TempFolder folder;
  const auto file = write_dense<double>(folder / "x.h5ad", {1, 2, -3, 4});
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(file); }), "gene A in cell two",
                  "negative (-3)");
}

TEST(H5ad, RefusesRepeatedAndEmptyGenes) {
  expect_mentions(error_with([](auto& s) { s.genes[2] = "A"; }), "/var", "gene A appears twice");
  expect_mentions(error_with([](auto& s) { s.genes[2] = ""; }), "/var", "empty name");
}

TEST(H5ad, RefusesEncodingsItDoesNotKnow) {
  expect_mentions(error_with([](auto& s) { s.encoding = "coo_matrix"; }), "unknown encoding 'coo_matrix'");
}

TEST(H5ad, RefusesFilesThatLackAPart) {
  const test::TempFolder folder;
  const auto path = folder / "x.h5ad";
  const auto written = [&](const std::function<void(H5File&)>& fill) {
    auto file = H5File::create(path);
    fill(file);
    file.close();
    return error_of(ErrorKind::Input, [&] { read_h5ad(path); });
  };
  expect_mentions(written([](H5File&) {}), "/obs", "no AnnData file");
  expect_mentions(written([](H5File& file) {
                    test::write_names(file, "/obs", {"one"});
                    test::write_names(file, "/var", {"A"});
                  }),
                  "has no X");
  expect_mentions(written([](H5File& file) { file.create_group("/obs"); }), "/obs", "_index");
  expect_mentions(written([](H5File& file) { file.write_strings("/obs", {"one"}); }), "/obs",
                  "no field 'index'");
  expect_mentions(written([](H5File& file) {
                    test::write_names(file, "/obs", {"one"});
                    test::write_names(file, "/var", {"A"});
                    file.write_strings("/X", {"1"});
                  }),
                  "/X", "does not hold numbers");
  expect_mentions(written([](H5File& file) {
                    test::write_names(file, "/obs", {});
                    test::write_names(file, "/var", {"A"});
                  }),
                  "no cells");
}

TEST(H5ad, RefusesFilesThatAreNotWhole) {
  const test::TempFolder folder;
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(folder / "none.h5ad"); }), "none.h5ad");
  const std::string whole = test::file_content(write_sample(folder / "whole.h5ad", {}));
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    const auto file = test::write_file(folder / "cut.h5ad", whole.substr(0, length));
    expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(file); }), "cut.h5ad");
  }
}

TEST(H5ad, ReadsColumnsOfEveryKind) {
  const test::TempFolder folder;
  auto file = H5File::create(folder / "x.h5ad");
  test::write_names(file, "/obs", {"one", "two", "three"});
  file.write_strings("/obs/text", {"a", "b", "c"});
  file.write<std::int64_t>("/obs/number", {1, 2, 3});
  file.write<double>("/obs/real", {0.5, 1.5, 2});
  file.write<std::int8_t>("/obs/category/codes", {1, -1, 0});
  file.write_strings("/obs/category/categories", {"left", "right"});
  file.write<std::int64_t>("/obs/nullable/values", {7, 8, 9});
  file.write<std::uint8_t>("/obs/nullable/mask", {0, 1, 0});
  file.write<std::int8_t>("/obs/old_category", {0, 1, 1});
  file.write_strings("/obs/__categories/old_category", {"left", "right"});
  file.write<std::int8_t>("/obs/wrong/codes", {0, 2, 0});
  file.write_strings("/obs/wrong/categories", {"left", "right"});
  file.close();
  const auto column = [&](const std::string& name) { return read_obs_column(folder / "x.h5ad", name); };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(column("text"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(column("number"), (Texts{"1", "2", "3"}));
  EXPECT_EQ(column("real"), (Texts{"0.5", "1.5", "2"}));
  EXPECT_EQ(column("category"), (Texts{"right", "", "left"}));
  EXPECT_EQ(column("nullable"), (Texts{"7", "", "9"}));
  EXPECT_EQ(column("old_category"), (Texts{"left", "right", "right"}));
  expect_mentions(error_of(ErrorKind::Input, [&] { column("wrong"); }), "/obs/wrong", "category 2 of 2");
  expect_mentions(error_of(ErrorKind::Input, [&] { column("none"); }), "/obs/none", "no such column");
}

TEST(H5ad, LayersAndRawValuesAreReadOnRequest) {
  const test::TempFolder folder;
  const auto path = folder / "x.h5ad";
  write_sample(path, {});
  {
    auto file = H5File::open_update(path);
    file.write("/layers/counts", std::vector<float>{9, 8, 7, 6, 5, 4, 3, 2, 1}, {3, 3});
    file.write("/layers/damaged", std::vector<float>{9, 8}, {1, 2});
    test::write_names(file, "/raw/var", {"A", "B", "C", "D"});
    file.create_group("/raw/X");
    file.write_attribute_string("/raw/X", "encoding-type", "csc_matrix");
    file.write_attribute<std::int64_t>("/raw/X", "shape", {3, 4});
    file.write("/raw/X/data", std::vector<float>{3, 2, 1, 5});
    file.write("/raw/X/indices", std::vector<std::int64_t>{2, 0, 0, 1});
    file.write("/raw/X/indptr", std::vector<std::int64_t>{0, 2, 2, 3, 4});
    file.close();
  }
  EXPECT_EQ(read_h5ad(path, {.layer = "counts"}).dense(), (std::vector<float>{9, 8, 7, 6, 5, 4, 3, 2, 1}));
  const Expression raw = read_h5ad(path, {.raw = true});
  EXPECT_EQ(raw.genes, (std::vector<std::string>{"A", "B", "C", "D"}));
  EXPECT_EQ(raw.dense(), (std::vector<float>{2, 0, 1, 0, 0, 0, 0, 5, 3, 0, 0, 0}));
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(path, {.layer = "spliced"}); }),
                  "/layers/spliced", "counts, damaged");
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(path, {.layer = "damaged"}); }),
                  "/layers/damaged", "1 x 2");
}

TEST(H5ad, WithoutLayersOrRawValuesTheErrorSaysSo) {
  const test::TempFolder folder;
  const auto path = write_sample(folder / "x.h5ad", {});
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(path, {.raw = true}); }), "raw", "x.h5ad");
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad(path, {.layer = "counts"}); }),
                  "there are none");
}

}  // namespace
}  // namespace regulus::data
