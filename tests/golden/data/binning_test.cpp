// Binning against what the original scGPT code made of the same values and draws.
#include "regulus/data/binning.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "regulus/storage/hdf5.h"

namespace regulus::data {
namespace {

constexpr int kBins = 51;

class ScGptBinning : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto file = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle/scgpt" / GetParam() / "goldens.h5";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no reference outputs at ../shared/oracle/scgpt";
    goldens_.emplace(storage::H5File::open_read(file));
  }

  std::vector<double> read(const std::string& name) const {
    return goldens_->read<double>("/binning/" + name);
  }
  std::vector<float> digits(const std::string& name) const {
    return goldens_->read<float>("/binning/" + name);
  }

  std::optional<storage::H5File> goldens_;
};

std::size_t nonzero_count(const std::vector<double>& values) {
  std::size_t count = 0;
  for (const double value : values) count += value != 0.0 ? 1 : 0;
  return count;
}

TEST_P(ScGptBinning, EdgesAreTheSameDoubles) {
  EXPECT_EQ(bin_edges(read("distinct_input"), kBins), read("distinct_edges"));
  EXPECT_EQ(bin_edges(read("ties_input"), kBins), read("ties_edges"));
}

TEST_P(ScGptBinning, DistinctValuesHaveTheSameDigitsWhateverTheDraws) {
  const auto values = read("distinct_input");
  for (const double draw : {0.0, 0.5, 1.0 - 0x1p-53})
    EXPECT_EQ(bin_values(values, kBins, std::vector<double>(nonzero_count(values), draw)),
              digits("distinct_output"));
}

TEST_P(ScGptBinning, TiesAreBrokenByTheSameDraws) {
  EXPECT_EQ(bin_values(read("ties_input"), kBins, read("ties_uniform")), digits("ties_output"));
}

/// Their draws were not recorded, but every digit must lie where the edges of its value allow it.
TEST_P(ScGptBinning, DigitsOfTheCellsArePossible) {
  const auto counts = read("cells_counts");
  const auto expected = digits("cells_binned");
  const auto genes = static_cast<std::size_t>(goldens_->shape("/binning/cells_counts").at(1));
  ASSERT_EQ(expected.size(), counts.size());
  for (std::size_t begin = 0; begin < counts.size(); begin += genes) {
    const std::vector<double> cell(counts.begin() + static_cast<std::ptrdiff_t>(begin),
                                   counts.begin() + static_cast<std::ptrdiff_t>(begin + genes));
    const std::size_t count = nonzero_count(cell);
    const auto most = bin_values(cell, kBins, std::vector<double>(count, 0.0));
    const auto least = bin_values(cell, kBins, std::vector<double>(count, 1.0 - 0x1p-53));
    for (std::size_t gene = 0; gene < genes; ++gene) {
      EXPECT_GE(expected[begin + gene], least[gene]) << begin + gene;
      EXPECT_LE(expected[begin + gene], most[gene]) << begin + gene;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ScGptBinning, ::testing::Values("tiny", "small"));

}  // namespace
}  // namespace regulus::data
