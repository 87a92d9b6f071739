// Features of tiles, as the feature store holds them, against the definitions evaluated by the original code.
#include "regulus/probe/tile_features.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "regulus/backbone/transformer.h"
#include "regulus/probe/panel.h"
#include "regulus/storage/hdf5.h"

namespace {

using namespace regulus;

constexpr double kRounding = 0x1p-25;  // to float32, of values up to one
/// The mean of the cells is held in float32 as well: values up to 31, times slopes of about a tenth.
constexpr double kRoundingOfTheMean = 2e-7;

class TileFeaturesGolden : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto folder = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle" / "scgpt" / GetParam();
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no reference outputs at ../shared/oracle/scgpt";
    model_ = backbone::load_model(folder);
    goldens_.emplace(storage::H5File::open_read(folder / "goldens.h5"));
    probe::set_panel(job_, {model_.vocabulary, {}}, goldens_->read_strings("/probe/gene_names"), {});
    const auto mean = goldens_->read<float>("/baselines/xbar");
    job_.mean = mean;
    job_.backgrounds = std::make_shared<probe::FixedRows>(job_.gene_count(), mean);
  }

  at::Tensor read(const std::string& path) const {
    return at::tensor(goldens_->read<double>(path), at::kDouble).reshape(goldens_->shape(path));
  }

  /// [S, G, width] of one feature, over all tiles.
  at::Tensor compute(const std::string& feature) const {
    const auto backbone = backbone::make_transformer(model_, {.precision = at::kDouble});
    std::vector<float> values;
    for (std::int64_t tile = 0; tile < job_.plan().count(); ++tile) {
      probe::TileFeatures features(job_, tile);
      for (const auto& part : probe::parts_of_tile(job_)) features.add(*backbone, part);
      const auto of_tile = features.features(*backbone).at(feature);
      values.insert(values.end(), of_tile.begin(), of_tile.end());
    }
    return at::tensor(values, at::kDouble).reshape({job_.source_count(), job_.gene_count(), -1});
  }

  double error(const std::string& feature, const at::Tensor& expected) const {
    return (compute(feature) - expected.reshape({job_.source_count(), job_.gene_count(), -1}))
        .abs()
        .max()
        .item<double>();
  }

  backbone::Model model_;
  probe::ProbeJob job_;
  std::optional<storage::H5File> goldens_;
};

TEST_P(TileFeaturesGolden, Pert) {
  job_.pert = true;
  EXPECT_LE(error("pert", read("/baselines/pert")), kRoundingOfTheMean);
}

/// The fixtures' edges are [key, query] as ours are [source, target].
TEST_P(TileFeaturesGolden, Attn) {
  job_.attn = true;
  EXPECT_LE(error("attn", read("/baselines/attn_edge_xbar")), kRoundingOfTheMean);
}

TEST_P(TileFeaturesGolden, VvpAndGdtOfTheVirtualBackground) {
  job_.vvp = job_.gdt = true;
  job_.v_b = 1.5;
  job_.perturbation_grid = goldens_->read<double>("/probe/offset/v_p");
  job_.gradient_grid = goldens_->read<double>("/probe/offset/grid");
  job_.backgrounds = probe::virtual_background(job_);
  EXPECT_LE(error("vvp", read("/probe/offset/vvp")), kRounding);
  EXPECT_LE(error("gdt", read("/probe/offset/gdt_fixed")), kRounding);
}

TEST_P(TileFeaturesGolden, GdtOfTheUniformBackground) {
  job_.gdt = job_.uniform = true;
  job_.gradient_grid = goldens_->read<double>("/probe/bins/grid");
  EXPECT_LE(error("gdt", read("/probe/bins/gdt_uniform")), kRounding);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, TileFeaturesGolden, ::testing::Values("tiny", "small"));

}  // namespace
