// Attention as plain ATen operations against the CPU's kernel in float64, and bfloat16 operands against
// float64.
#include "backbone/attention_aten.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "backbone/dual_attention.h"

namespace {

using namespace regulus;

/// Of results of up to 3: operands and products have 8 bits, and so have logits.
constexpr double kBFloat16Tolerance = 5e-2;

struct Case {
  std::int64_t length, heads, width;
};

class AttentionTiles : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto [length, heads, width] = GetParam();
    at::manual_seed(4);
    heads_ = heads;
    qkv_ = at::randn({2, kStates, length, 3 * heads * width}, at::kDouble);
    context_ = at::empty({2, kStates, length, heads * width}, at::kDouble);
    tangents_ = at::empty_like(context_[0]);
    backbone::attend_dual(qkv_, heads_, context_);
    backbone::attend_tangents(qkv_[0][0], qkv_[1], context_[0][0], heads_, tangents_);
  }

  static double error(const at::Tensor& found, const at::Tensor& expected) {
    return (found - expected).abs().max().item<double>();
  }

  static constexpr std::int64_t kStates = 3;
  std::int64_t heads_ = 0;
  at::Tensor qkv_, context_, tangents_;
};

TEST_P(AttentionTiles, EqualTheKernel) {
  at::Tensor primal = at::zeros_like(context_[0]);
  backbone::attend_tiles(qkv_[0], heads_, primal);
  EXPECT_LE(error(primal, context_[0]), 1e-12);
  at::Tensor dual = at::zeros_like(context_);
  backbone::attend_dual_tiles(qkv_, heads_, dual);
  EXPECT_LE(error(dual, context_), 1e-12);
  at::Tensor tangents = at::zeros_like(tangents_);
  backbone::attend_tangents_tiles(qkv_[0][0], qkv_[1], {}, heads_, tangents);
  EXPECT_LE(error(tangents, tangents_), 1e-12);
}

TEST_P(AttentionTiles, StayCloseToFloat64InBFloat16) {
  const at::Tensor rounded = qkv_.to(at::kBFloat16);
  at::Tensor exact = at::empty_like(context_);
  backbone::attend_dual(rounded.to(at::kDouble), heads_, exact);
  at::Tensor dual = at::zeros_like(context_, at::kFloat);
  backbone::attend_dual(rounded, heads_, dual);
  EXPECT_LE(error(dual, exact), kBFloat16Tolerance);
  at::Tensor primal = at::zeros_like(context_[0], at::kFloat);
  backbone::attend(rounded[0], heads_, primal);
  EXPECT_TRUE(at::equal(primal, dual[0]));
  at::Tensor exact_tangents = at::empty_like(tangents_);
  backbone::attend_tangents(rounded[0][0].to(at::kDouble), rounded[1].to(at::kDouble), exact[0][0], heads_,
                            exact_tangents);
  at::Tensor tangents = at::zeros_like(tangents_, at::kFloat);
  backbone::attend_tangents(rounded[0][0], rounded[1], primal[0], heads_, tangents);
  EXPECT_LE(error(tangents, exact_tangents), kBFloat16Tolerance);
}

// The last is cut into several blocks of queries.
INSTANTIATE_TEST_SUITE_P(Shapes, AttentionTiles,
                         ::testing::Values(Case{1, 2, 4}, Case{7, 3, 5}, Case{70, 2, 16}, Case{600, 1, 8}));

}  // namespace
