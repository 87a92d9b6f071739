// Gradient trajectories with bfloat16 operands against outputs of the original scGPT code.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "regulus/backbone/transformer.h"
#include "regulus/storage/hdf5.h"
#include "support/correlation.h"

namespace {

using namespace regulus;

TEST(ScGptInBFloat16, GradientTrajectoryCorrelatesWithFloat64) {
  const auto folder = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle" / "scgpt" / "small";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no reference outputs at ../shared/oracle/scgpt";
  const auto goldens = storage::H5File::open_read(folder / "goldens.h5");
  const auto read = [&](const std::string& path) {
    return at::tensor(goldens.read<double>(path), at::kDouble).reshape(goldens.shape(path));
  };
  const at::Tensor genes = read("/probe/gene_ids").to(at::kLong);
  const at::Tensor grid = read("/probe/unit/grid");
  const at::Tensor expected = read("/probe/unit/gdt_fixed");  // [source, target, value]
  const double v_b = goldens.read_attribute_double("/probe/unit", "v_b");
  const auto pass = backbone::make_transformer(backbone::load_model(folder), {.precision = at::kBFloat16})
                        ->open_panel(genes, at::full({genes.size(0)}, v_b, at::kFloat));
  for (const std::int64_t source : {std::int64_t{0}, genes.size(0) / 2, genes.size(0) - 1}) {
    const auto response = pass->respond_dual(at::full({grid.size(0)}, source, at::kLong), grid);
    EXPECT_GE(test::correlation(response.tangent.t(), expected[source]), 0.999) << "source " << source;
  }
}

}  // namespace
