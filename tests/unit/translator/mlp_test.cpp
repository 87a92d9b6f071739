#include "regulus/translator/mlp.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "regulus/core/random.h"

namespace regulus::translator {
namespace {

at::Tensor normal(std::vector<std::int64_t> shape, std::uint64_t seed) {
  at::Tensor tensor = at::empty(shape, at::kDouble);
  RandomStream stream(seed, "test.mlp");
  for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<double>()[i] = stream.normal();
  return tensor;
}

/// 2 -> 2 -> 1 with everything written out.
TEST(Mlp, ForwardMatchesAHandComputedNetwork) {
  const MlpShape shape(2, {2});
  ASSERT_EQ(shape.parameters(), 2 * 2 + 2 + 2 + 1);
  const at::Tensor parameters =
      at::tensor({1.0, -1.0, 2.0, 0.5, 0.0, -3.0, 10.0, 100.0, 1000.0}, at::kDouble);
  const at::Tensor inputs = at::tensor({3.0, 1.0, 1.0, 2.0}, at::kDouble).view({2, 2});
  const at::Tensor logits = forward(shape, parameters, inputs);
  // Row 1: relu(3 - 1) = 2, relu(6 + 0.5 - 3) = 3.5. Row 2: relu(1 - 2) = 0, relu(2 + 1 - 3) = 0.
  EXPECT_DOUBLE_EQ(logits[0].item<double>(), 20.0 + 350.0 + 1000.0);
  EXPECT_DOUBLE_EQ(logits[1].item<double>(), 1000.0);
}

TEST(Mlp, LossIsWeightedCrossEntropyAndFiniteAtExtremeLogits) {
  const at::Tensor logits = at::tensor({0.0, 1.5, 800.0, -800.0}, at::kDouble);
  const at::Tensor labels = at::tensor({1.0, 0.0, 0.0, 1.0}, at::kDouble);
  const at::Tensor weights = at::tensor({1.0, 2.0, 1.0, 0.5}, at::kDouble);
  const double expected = std::log(2.0) + 2.0 * std::log(1.0 + std::exp(1.5)) + 800.0 + 400.0;
  EXPECT_NEAR(loss(logits, labels, weights), expected, 1e-10);
}

TEST(Mlp, GradientEqualsCentralDifferences) {
  const MlpShape shape(5, {7, 6});
  const at::Tensor parameters = normal({shape.parameters()}, 1);
  const at::Tensor inputs = normal({11, 5}, 2);
  const at::Tensor labels = normal({11}, 3).gt(0).to(at::kDouble);
  const at::Tensor weights = normal({11}, 4).abs();
  const at::Tensor gradient = loss_and_gradient(shape, parameters, inputs, labels, weights).gradient;
  const auto loss_at = [&](std::int64_t index, double step) {
    at::Tensor moved = parameters.clone();
    moved.data_ptr<double>()[index] += step;
    return loss(forward(shape, moved, inputs), labels, weights);
  };
  constexpr double kStep = 1e-6;
  for (std::int64_t i = 0; i < shape.parameters(); ++i) {
    const double difference = (loss_at(i, kStep) - loss_at(i, -kStep)) / (2.0 * kStep);
    EXPECT_NEAR(gradient.data_ptr<double>()[i], difference, 1e-7 * (1.0 + std::abs(difference)))
        << "parameter " << i;
  }
}

TEST(Mlp, WithoutHiddenLayersItIsLogisticRegression) {
  const MlpShape shape(2, {});
  const at::Tensor parameters = at::tensor({2.0, -1.0, 0.5}, at::kDouble);
  const at::Tensor inputs = at::tensor({1.0, 3.0}, at::kDouble).view({1, 2});
  const LossGradient result =
      loss_and_gradient(shape, parameters, inputs, at::ones({1}, at::kDouble), at::ones({1}, at::kDouble));
  const double residual = 1.0 / (1.0 + std::exp(0.5)) - 1.0;  // logit -0.5
  EXPECT_NEAR(result.loss, std::log(1.0 + std::exp(0.5)), 1e-14);
  EXPECT_NEAR(result.gradient[0].item<double>(), residual, 1e-14);
  EXPECT_NEAR(result.gradient[1].item<double>(), 3.0 * residual, 1e-14);
  EXPECT_NEAR(result.gradient[2].item<double>(), residual, 1e-14);
}

TEST(MlpShape, InitialWeightsFillTheirRangeAndBiasesAreZero) {
  const MlpShape shape(6, {200});
  const std::vector<float> parameters = initial_parameters(shape, 3, "vvp");
  float largest = 0.0F;
  for (std::int64_t i = 0; i < shape.bias_offset(0); ++i)
    largest = std::max(largest, std::abs(parameters[static_cast<std::size_t>(i)]));
  EXPECT_LE(largest, 1.0F);
  EXPECT_GT(largest, 0.99F);  // 1,200 uniform draws: probability 0.99^1200 < 1e-5 of failing
  for (std::int64_t i = shape.bias_offset(0); i < shape.weight_offset(1); ++i)
    EXPECT_EQ(parameters[static_cast<std::size_t>(i)], 0.0F);
  EXPECT_NE(parameters, initial_parameters(shape, 3, "gdt"));
  EXPECT_EQ(parameters, initial_parameters(shape, 3, "vvp"));
}

}  // namespace
}  // namespace regulus::translator
