// The native transformer against outputs of the original scBenchmark code.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <tuple>
#include <vector>

#include "regulus/backbone/predict.h"
#include "regulus/backbone/transformer.h"
#include "regulus/storage/hdf5.h"

namespace {

using namespace regulus;

constexpr double kDoubleTolerance = 1e-12;
constexpr double kFloatTolerance = 5e-6;

/// The parameter: whether <cls>, at value 0, leads the panel.
class ScBenchmark : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const auto folder = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle" / "scbenchmark" / "small";
    if (!std::filesystem::exists(folder))
      GTEST_SKIP() << "no reference outputs at ../shared/oracle/scbenchmark";
    model_ = backbone::load_model(folder);
    goldens_.emplace(storage::H5File::open_read(folder / "goldens.h5"));
  }

  std::int64_t lead() const { return GetParam() ? 1 : 0; }
  std::string part() const { return GetParam() ? "cls" : "plain"; }

  at::Tensor read(const std::string& path) const {
    return at::tensor(goldens_->read<double>(path), at::kDouble).reshape(goldens_->shape(path));
  }

  at::Tensor gene_ids() const {
    const at::Tensor genes = read("/gene_ids").to(at::kLong);
    if (!GetParam()) return genes;
    return at::cat({at::tensor(std::vector<std::int64_t>{*model_.vocabulary.find("<cls>")}), genes});
  }

  /// Values of the genes, led by that of <cls>. \param genes [..., G]
  at::Tensor with_cls(const at::Tensor& genes) const {
    auto shape = genes.sizes().vec();
    shape.back() = lead();
    return at::cat({at::zeros(shape, genes.options()), genes}, -1);
  }

  std::unique_ptr<backbone::PanelPass> open(const at::Tensor& values, at::ScalarType type,
                                            backbone::ReadOut read_out) const {
    return backbone::make_transformer(model_, {.precision = type, .read_out = read_out})
        ->open_panel(gene_ids(), with_cls(values).to(type));
  }

  backbone::Model model_;
  std::optional<storage::H5File> goldens_;
};

double largest(const at::Tensor& difference) {
  return difference.abs().max().item<double>();
}

TEST_P(ScBenchmark, EveryOutputOfTheForwardPass) {
  const at::Tensor values = with_cls(read("/forward/values"));
  const at::Tensor genes = gene_ids().expand({values.size(0), gene_ids().size(0)});
  const auto prediction = backbone::predict_all(model_.config, backbone::convert(model_.weights, at::kDouble),
                                                {genes, values, {}, {}});
  const std::string group = "/forward/" + part();
  const at::Tensor expression = prediction.expression.narrow(1, lead(), values.size(1) - lead());
  EXPECT_LE(largest(expression - read(group + "/mlm_output")), kDoubleTolerance);
  EXPECT_LE(largest(prediction.mvc - read(group + "/mvc_output")), kDoubleTolerance);
  EXPECT_LE(largest(prediction.cell - read(group + "/cell_emb")), kDoubleTolerance);
}

TEST_P(ScBenchmark, NativeReadOuts) {
  const at::Tensor values = read("/forward/values");
  for (std::int64_t cell = 0; cell < values.size(0); ++cell) {
    const at::Tensor expression = open(values[cell], at::kDouble, backbone::ReadOut::Expression)->baseline();
    const at::Tensor mvc = open(values[cell], at::kDouble, backbone::ReadOut::Mvc)->baseline();
    const std::string group = "/forward/" + part();
    EXPECT_LE(largest(expression.narrow(0, lead(), values.size(1)) - read(group + "/mlm_output")[cell]),
              kDoubleTolerance);
    EXPECT_LE(largest(mvc - read(group + "/mvc_output")[cell]), kDoubleTolerance);
  }
}

TEST_P(ScBenchmark, Probes) {
  const std::string group = "/probe/" + part();
  const at::Tensor sources = read(group + "/sources").to(at::kLong);
  const at::Tensor grid = read(group + "/grid");
  const at::Tensor vvp = read(group + "/vvp");
  const at::Tensor gdt = read(group + "/gdt_fixed");
  const std::int64_t genes = vvp.size(1);
  for (const auto& [type, tolerance] :
       {std::pair{at::kDouble, kDoubleTolerance}, std::pair{at::kFloat, kFloatTolerance}}) {
    const auto pass = open(at::zeros({genes}, at::kDouble), type, backbone::ReadOut::Expression);
    const at::Tensor baseline = pass->baseline().narrow(0, lead(), genes);
    EXPECT_LE(largest(baseline - read(group + "/M_base")), tolerance);
    for (std::int64_t s = 0; s < sources.size(0); ++s) {
      const at::Tensor position = sources.narrow(0, s, 1) + lead();
      const auto response = pass->respond_dual(position.expand({grid.size(0)}), grid);
      const at::Tensor difference = response.primal.narrow(1, lead(), genes) - baseline;
      EXPECT_LE(largest(difference.t() - vvp[s]), tolerance);
      EXPECT_LE(largest(response.tangent.narrow(1, lead(), genes).t() - gdt[s]), tolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ScBenchmark, ::testing::Bool(),
                         [](const auto& cls) { return cls.param ? "cls" : "plain"; });

}  // namespace
