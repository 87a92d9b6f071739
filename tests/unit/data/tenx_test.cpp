#include "regulus/data/tenx.h"

#include <gtest/gtest.h>

#include <functional>

#include "regulus/storage/hdf5.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"

namespace regulus::data {
namespace {

using storage::H5File;
using test::error_of;
using test::expect_mentions;
using Names = std::vector<std::string>;
using Values = std::vector<float>;

/// Four features and three cells:
///
///              GATA1  CD3 (antibody)  TAL1  TAL1
///     AAAC-1   5      7               0     0
///     AAAG-1   0      0               0     0
///     AAAT-1   0      9               1     2
struct TenxSample {
  std::string group = "/matrix";
  std::vector<std::int32_t> data = {7, 5, 9, 2, 1};
  std::vector<std::int64_t> indices = {1, 0, 1, 3, 2};
  std::vector<std::int64_t> indptr = {0, 2, 2, 5};
  std::vector<std::int32_t> shape = {4, 3};
  Names barcodes = {"AAAC-1", "AAAG-1", "AAAT-1"};
  Names names = {"GATA1", "CD3", "TAL1", "TAL1"};
  Names ids = {"ENSG1", "CD3", "ENSG2", "ENSG3"};
  Names types = {"Gene Expression", "Antibody Capture", "Gene Expression", "Gene Expression"};
  Names genomes = {"GRCh38", "", "GRCh38", "GRCh38"};
};

void write_matrix(H5File& file, const TenxSample& sample) {
  file.write(sample.group + "/data", sample.data);
  file.write(sample.group + "/indices", sample.indices);
  file.write(sample.group + "/indptr", sample.indptr);
  file.write(sample.group + "/shape", sample.shape);
  file.write_strings(sample.group + "/barcodes", sample.barcodes);
}

std::filesystem::path write_v3(const std::filesystem::path& path, const TenxSample& sample) {
  auto file = H5File::create(path);
  write_matrix(file, sample);
  file.write_strings("/matrix/features/name", sample.names);
  file.write_strings("/matrix/features/id", sample.ids);
  file.write_strings("/matrix/features/feature_type", sample.types);
  file.write_strings("/matrix/features/genome", sample.genomes);
  file.close();
  return path;
}

std::filesystem::path write_v2(const std::filesystem::path& path, const std::vector<TenxSample>& genomes) {
  auto file = H5File::create(path);
  for (const TenxSample& sample : genomes) {
    write_matrix(file, sample);
    file.write_strings(sample.group + "/gene_names", sample.names);
    file.write_strings(sample.group + "/genes", sample.ids);
  }
  file.close();
  return path;
}

class Tenx : public ::testing::Test {
 protected:
  const test::TempFolder folder_;

  std::string refused(const std::function<void(TenxSample&)>& change, const std::string& genome = {}) const {
    TenxSample sample;
    change(sample);
    const auto file = write_v3(folder_ / "bad.h5", sample);
    return error_of(ErrorKind::Input, [&] { read_tenx(file, genome); });
  }
};

TEST_F(Tenx, KeepsGenesUnderDistinctSymbols) {
  const Expression expression = read_tenx(write_v3(folder_ / "v3.h5", {}));
  EXPECT_EQ(expression.genes, (Names{"GATA1", "TAL1", "TAL1-1"}));
  EXPECT_EQ(expression.cells, (Names{"AAAC-1", "AAAG-1", "AAAT-1"}));
  EXPECT_EQ(expression.dense(), (Values{5, 0, 0, 0, 0, 0, 0, 1, 2}));
  EXPECT_EQ(expression.column, (std::vector<std::int32_t>{0, 1, 2}));
}

TEST_F(Tenx, AFeatureWithoutASymbolGoesByItsId) {
  TenxSample sample;
  sample.names[0].clear();
  EXPECT_EQ(read_tenx(write_v3(folder_ / "v3.h5", sample)).genes[0], "ENSG1");
}

TEST_F(Tenx, ReadsTheOldLayout) {
  TenxSample sample;
  sample.group = "/GRCh38";
  const Expression expression = read_tenx(write_v2(folder_ / "v2.h5", {sample}));
  EXPECT_EQ(expression.genes, (Names{"GATA1", "CD3", "TAL1", "TAL1-1"}));
  EXPECT_EQ(expression.dense(), (Values{5, 7, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2}));
}

TEST_F(Tenx, OneOfSeveralGenomesIsChosen) {
  TenxSample human;
  TenxSample mouse;
  human.group = "/GRCh38";
  mouse.group = "/mm10";
  mouse.data[1] = 50;
  const auto file = write_v2(folder_ / "v2.h5", {human, mouse});
  EXPECT_EQ(read_tenx(file, "mm10").value[0], 50);
  EXPECT_EQ(read_tenx(file, "GRCh38").value[0], 5);
  expect_mentions(error_of(ErrorKind::Input, [&] { read_tenx(file); }), "GRCh38, mm10", "--genome", "v2.h5");
  expect_mentions(error_of(ErrorKind::Input, [&] { read_tenx(file, "hg19"); }), "hg19", "GRCh38, mm10");
}

TEST_F(Tenx, GenomesOfTheNewLayoutAreChosenToo) {
  TenxSample sample;
  sample.genomes[2] = "mm10";
  const auto file = write_v3(folder_ / "v3.h5", sample);
  EXPECT_EQ(read_tenx(file, "mm10").genes, (Names{"TAL1"}));
  EXPECT_EQ(read_tenx(file, "mm10").dense(), (Values{0, 0, 1}));
  expect_mentions(error_of(ErrorKind::Input, [&] { read_tenx(file); }), "GRCh38, mm10", "--genome");
}

TEST_F(Tenx, DamageIsNamed) {
  expect_mentions(refused([](TenxSample& s) { s.indices[2] = 4; }), "bad.h5:/matrix/indices", "entry 2 is 4");
  expect_mentions(refused([](TenxSample& s) { s.indptr[1] = 6; }), "/matrix/indptr", "decreases");
  expect_mentions(refused([](TenxSample& s) { s.indptr.back() = 4; }), "/matrix/indptr", "5 values");
  expect_mentions(refused([](TenxSample& s) { s.shape = {3, 4}; }), "/matrix", "4 x 3");
  expect_mentions(refused([](TenxSample& s) { s.data[4] = -1; }), "TAL1", "AAAT-1", "negative");
  expect_mentions(refused([](TenxSample& s) { s.types.pop_back(); }), "equally long");
  expect_mentions(refused([](TenxSample& s) {
                    s.types.assign(4, "Peaks");
                    s.genomes.clear();
                  }),
                  "Gene Expression");
  expect_mentions(refused([](TenxSample&) {}, "mm10"), "mm10", "GRCh38");
}

TEST_F(Tenx, AnotherHdf5FileIsRefused) {
  const auto path = folder_ / "other.h5";
  auto file = H5File::create(path);
  file.write("/X", Values{1});
  file.close();
  expect_mentions(error_of(ErrorKind::Input, [&] { read_tenx(path); }), "other.h5", "10x", ".h5ad");
}

}  // namespace
}  // namespace regulus::data
