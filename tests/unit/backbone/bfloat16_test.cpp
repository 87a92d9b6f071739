// Tangents with products of bfloat16 operands against float64, and what stays in float32.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "regulus/backbone/transformer.h"
#include "regulus/core/error.h"
#include "support/correlation.h"
#include "support/tiny_model.h"

namespace {

using namespace regulus;

constexpr double kLeastCorrelation = 0.999;

class BFloat16 : public ::testing::Test {
 protected:
  static constexpr std::int64_t kLength = 48;

  std::unique_ptr<backbone::PanelPass> open(at::ScalarType precision) const {
    const auto backbone = backbone::make_transformer(model_, {.precision = precision});
    return backbone->open_panel(genes_, background_.to(backbone->precision()));
  }

  backbone::Model model_ = test::tiny_model(kLength, 17, 64, 4, 3);
  at::Tensor genes_ = at::arange(kLength, at::kLong);
  at::Tensor background_ = at::remainder(at::arange(kLength, at::kDouble) * 1.7, 6.0);
  at::Tensor sources_ = at::tensor(std::vector<std::int64_t>{0, 5, 47, 20});
  at::Tensor values_ = at::tensor(std::vector<double>{0.3, 4.1, 2.2, 1.0}, at::kDouble);
};

TEST_F(BFloat16, GradientsCorrelateWithFloat64) {
  const auto exact = open(at::kDouble), rounded = open(at::kBFloat16);
  const auto expected = exact->respond_dual(sources_, values_);
  const auto found = rounded->respond_dual(sources_, values_);
  EXPECT_EQ(found.tangent.scalar_type(), at::kFloat);
  EXPECT_GE(test::correlation(found.tangent, expected.tangent), kLeastCorrelation);
  EXPECT_GE(test::correlation(rounded->tangents(sources_), exact->tangents(sources_)), kLeastCorrelation);
}

TEST_F(BFloat16, IsReallyUsed) {
  const auto rounded = open(at::kBFloat16), single = open(at::kFloat);
  const at::Tensor a = rounded->respond_dual(sources_, values_).tangent;
  const at::Tensor b = single->respond_dual(sources_, values_).tangent;
  EXPECT_GT((a - b).abs().max().item<double>(), 1e-5 * b.abs().max().item<double>());
  EXPECT_GT((rounded->tangents(sources_) - single->tangents(sources_)).abs().max().item<double>(), 0.0);
}

TEST_F(BFloat16, PredictionsAndAttentionStayInFloat32) {
  const auto rounded = open(at::kBFloat16), single = open(at::kFloat);
  const at::Tensor dual = rounded->respond_dual(sources_, values_).primal;
  EXPECT_LE((dual - single->respond(sources_, values_)).abs().max().item<double>(), 5e-6);
  EXPECT_TRUE(at::equal(rounded->baseline(), single->baseline()));
  EXPECT_TRUE(at::equal(rounded->respond(sources_, values_), single->respond(sources_, values_)));
  EXPECT_TRUE(at::equal(rounded->attention(sources_, true), single->attention(sources_, true)));
}

}  // namespace
