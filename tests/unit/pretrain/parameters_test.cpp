#include "regulus/pretrain/parameters.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

namespace regulus::pretrain {
namespace {

backbone::StateDict matrix_and_vector() {
  return {{"a.weight", at::full({2, 3}, 2.0)}, {"b.bias", at::full({3}, 5.0)}};
}

TEST(Parameters, TensorsAreViewsOfTheFlatBuffer) {
  Parameters parameters(matrix_and_vector());
  EXPECT_EQ(parameters.weight_count(), 9);
  EXPECT_EQ(parameters.size(), 32U);  // each padded to 16 floats
  EXPECT_EQ(std::count(parameters.values().begin(), parameters.values().end(), 2.0F), 6);
  EXPECT_EQ(std::count(parameters.values().begin(), parameters.values().end(), 5.0F), 3);
  parameters.values()[4] = 7.0F;
  EXPECT_EQ(parameters.weights().at("a.weight")[1][1].item<float>(), 7.0F);
}

TEST(Parameters, BackwardFillsTheFlatGradientAndAddsToIt) {
  Parameters parameters(matrix_and_vector());
  const auto& weights = parameters.weights();
  for (int pass = 1; pass <= 2; ++pass) {
    torch::autograd::backward({(weights.at("a.weight") * weights.at("b.bias")).sum()}, {});
    EXPECT_EQ(parameters.gradient()[5], 5.0F * static_cast<float>(pass));   // d/da_ij = b_j
    EXPECT_EQ(parameters.gradient()[18], 4.0F * static_cast<float>(pass));  // d/db_j = sum over i of a_ij
  }
  parameters.clear_gradient();
  EXPECT_TRUE(std::all_of(parameters.gradient().begin(), parameters.gradient().end(),
                          [](float g) { return g == 0.0F; }));
}

TEST(Parameters, OnlyMatricesAreMarked) {
  const auto flags = Parameters(matrix_and_vector()).in_matrix();
  std::vector<std::uint8_t> expected(32, 0);
  std::fill_n(expected.begin(), 6, std::uint8_t{1});
  EXPECT_EQ(flags, expected);
}

}  // namespace
}  // namespace regulus::pretrain
