// The analytic passes against LibTorch's forward-mode AD, central differences and the plain forward pass.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "regulus/backbone/predict.h"
#include "regulus/backbone/transformer.h"
#include "regulus/core/random.h"
#include "support/forward_mode.h"
#include "support/tiny_model.h"

namespace {

using namespace regulus;

struct Case {
  std::int64_t length, width, heads, layers;
};

/// A panel of a random model in float64, with one state per source and value.
class DualPass : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto [length, width, heads, layers] = GetParam();
    model_ = test::tiny_model(length, 7, width, heads, layers);
    weights_ = backbone::convert(model_.weights, at::kDouble);
    genes_ = at::arange(length, at::kLong);
    background_ = at::empty({length}, at::kDouble);
    RandomStream random(3, "test.background");
    for (std::int64_t i = 0; i < length; ++i) background_[i] = 6.0 * random.uniform();
    sources_ = at::tensor(std::vector<std::int64_t>{0, length / 2, length - 1, 1});
    values_ = at::tensor(std::vector<double>{0.3, 4.1, 2.2, 700.0}, at::kDouble);
    backbone_ = backbone::make_transformer(model_, {.precision = at::kDouble});
    pass_ = backbone_->open_panel(genes_, background_);
  }

  at::Tensor states(const at::Tensor& values) const {
    at::Tensor states = background_.repeat({sources_.size(0), 1});
    states.index_put_({at::arange(sources_.size(0), at::kLong), sources_}, values);
    return states;
  }

  at::Tensor forward(const at::Tensor& states) const {
    return backbone::predict(model_.config, weights_, genes_.repeat({states.size(0), 1}), states);
  }

  /// Forward-mode AD of predict() along one position per state.
  std::pair<at::Tensor, at::Tensor> forward_mode(const at::Tensor& states) const {
    at::Tensor direction = at::zeros_like(states);
    direction.index_put_({at::arange(sources_.size(0), at::kLong), sources_},
                         at::ones({sources_.size(0)}, at::kDouble));
    return test::forward_mode(states, direction, [this](const at::Tensor& dual) { return forward(dual); });
  }

  backbone::Model model_;
  backbone::StateDict weights_;
  at::Tensor genes_, background_, sources_, values_;
  std::unique_ptr<backbone::Backbone> backbone_;
  std::unique_ptr<backbone::PanelPass> pass_;
};

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST_P(DualPass, PrimalEqualsTheForwardPass) {
  const at::Tensor expected = forward(states(values_));
  EXPECT_LT(largest_difference(pass_->respond(sources_, values_), expected), 1e-12);
  EXPECT_LT(largest_difference(pass_->respond_dual(sources_, values_).primal, expected), 1e-12);
  EXPECT_LT(largest_difference(pass_->baseline(), forward(background_.unsqueeze(0))[0]), 1e-12);
}

TEST_P(DualPass, TangentEqualsForwardModeDifferentiation) {
  const at::Tensor expected = forward_mode(states(values_)).second;
  ASSERT_GT(expected.abs().max().item<double>(), 1e-3);
  EXPECT_LT(largest_difference(pass_->respond_dual(sources_, values_).tangent, expected), 1e-12);
}

TEST_P(DualPass, TangentEqualsCentralDifferences) {
  const double step = 1e-6;
  const at::Tensor slope = (forward(states(values_ + step)) - forward(states(values_ - step))) / (2.0 * step);
  EXPECT_LT(largest_difference(pass_->respond_dual(sources_, values_).tangent, slope), 1e-7);
}

TEST_P(DualPass, TangentIsZeroAboveTheClampOfTheValueEncoder) {
  EXPECT_EQ(pass_->respond_dual(sources_, values_).tangent[3].abs().max().item<double>(), 0.0);
}

TEST_P(DualPass, SharedPrimalTangentsEqualTheDualPassAtTheBackground) {
  const at::Tensor own = background_.index_select(0, sources_);
  EXPECT_LT(largest_difference(pass_->tangents(sources_), pass_->respond_dual(sources_, own).tangent), 1e-12);
}

TEST_P(DualPass, SinglePrecisionIsCloseToDouble) {
  const auto single = backbone::make_transformer(model_, {.precision = at::kFloat})
                          ->open_panel(genes_, background_.to(at::kFloat));
  const auto response = single->respond_dual(sources_, values_.to(at::kFloat));
  const auto exact = pass_->respond_dual(sources_, values_);
  EXPECT_LT(largest_difference(response.primal.to(at::kDouble), exact.primal), 5e-6);
  EXPECT_LT(largest_difference(response.tangent.to(at::kDouble), exact.tangent), 5e-6);
}

INSTANTIATE_TEST_SUITE_P(Shapes, DualPass,
                         ::testing::Values(Case{5, 16, 4, 2}, Case{64, 16, 2, 1}, Case{65, 24, 3, 3},
                                           Case{131, 16, 1, 2}));

}  // namespace
