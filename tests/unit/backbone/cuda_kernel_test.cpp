// The CUDA kernel itself, run on the CPU by an emulation of its threads, warps and tensor cores, against
// ATen.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "backbone/attention_aten.h"

// Another namespace than the library's, which holds the compiled kernel where LibTorch has CUDA.
#define cuda cuda_emulated

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include "backbone/cuda/dual_attention.cu"
#pragma GCC diagnostic pop

namespace regulus::backbone::cuda {
namespace {

alignas(128) unsigned char memory[kMostShared_bytes];  // every block's shared memory

/// Tolerance of float32 against float64, and of bfloat16 against float64 on the same rounded inputs.
constexpr double kFloatTolerance = 2e-5;
constexpr double kBFloat16Tolerance = 3e-2;

struct Case {
  std::int64_t length, heads, width;
};

/// Random projections of two states: primal and tangent [2, B, L, 3d], and their exact results.
class CudaKernel : public ::testing::TestWithParam<Case> {
 protected:
  void prepare(at::ScalarType type) {
    const auto [length, heads, width] = GetParam();
    at::manual_seed(7);
    qkv_ = at::randn({2, kStates, length, 3 * heads * width}).to(type);
    exact_ = at::empty({2, kStates, length, heads * width}, at::kDouble);
    attend_dual_tiles(qkv_.to(at::kDouble), heads, exact_);
    task_.operand = type == at::kFloat ? Operand::Float32 : Operand::BFloat16;
    task_.states = kStates;
    task_.heads = heads;
    task_.length = length;
    task_.width = width;
    task_.primal = {qkv_[0].data_ptr(), qkv_.stride(1)};
  }

  at::Tensor result() const { return at::full_like(exact_[0], 99.0, at::kFloat); }

  void run(const DualAttention& task) {
    std::fill(std::begin(memory), std::end(memory), static_cast<unsigned char>(0xff));  // NaN
    ASSERT_EQ(attend(task, nullptr), cudaSuccess);
  }

  static double error(const at::Tensor& found, const at::Tensor& exact) {
    return (found.to(at::kDouble) - exact).abs().max().item<double>();
  }

  void expect_exact(double tolerance) {
    const at::Tensor context = result(), tangent = result();
    DualAttention task = task_;
    task.context = context.data_ptr<float>();
    run(task);
    EXPECT_LE(error(context, exact_[0]), tolerance);
    emulation::reversed = true;  // the other order of threads
    context.fill_(99.0);
    task.tangent = {qkv_[1].data_ptr(), qkv_.stride(1)};
    task.context_tangent = tangent.data_ptr<float>();
    run(task);
    emulation::reversed = false;
    EXPECT_LE(error(context, exact_[0]), tolerance);
    EXPECT_LE(error(tangent, exact_[1]), tolerance);
  }

  /// Tangents of both states around the first one's primal.
  void expect_tangents(double tolerance) {
    const auto [length, heads, width] = GetParam();
    at::Tensor exact = at::empty({kStates, length, heads * width}, at::kDouble);
    attend_tangents_tiles(qkv_[0][0].to(at::kDouble), qkv_[1].to(at::kDouble), {}, heads, exact);
    const at::Tensor given = exact_[0][0].to(at::kFloat).contiguous();
    const at::Tensor tangent = result();
    DualAttention task = task_;
    task.primal.state_stride = 0;
    task.tangent = {qkv_[1].data_ptr(), qkv_.stride(1)};
    task.given_context = given.data_ptr<float>();
    task.context_tangent = tangent.data_ptr<float>();
    run(task);
    EXPECT_LE(error(tangent, exact), tolerance);
  }

  static constexpr std::int64_t kStates = 2;
  at::Tensor qkv_, exact_;
  DualAttention task_;
};

TEST_P(CudaKernel, Float32) {
  prepare(at::kFloat);
  expect_exact(kFloatTolerance);
  expect_tangents(kFloatTolerance);
}

TEST_P(CudaKernel, BFloat16) {
  prepare(at::kBFloat16);
  expect_exact(kBFloat16Tolerance);
  expect_tangents(kBFloat16Tolerance);
}

INSTANTIATE_TEST_SUITE_P(Shapes, CudaKernel,
                         ::testing::Values(Case{1, 1, 16}, Case{33, 2, 8}, Case{70, 1, 24}, Case{64, 1, 64},
                                           Case{37, 1, 100}));

/// Scores that grow from block to block, so that the sums have to follow.
TEST(CudaKernelLimits, GrowingScoresRescaleTheSums) {
  const std::int64_t length = 130, width = 16;
  at::manual_seed(3);
  at::Tensor qkv = at::randn({2, 1, length, 3 * width});
  qkv[0][0].narrow(1, 0, width).fill_(2.0);
  qkv[0][0].narrow(1, width, width).copy_(at::arange(length).unsqueeze(1).expand({length, width}) * 0.1);
  at::Tensor exact = at::empty({2, 1, length, width}, at::kDouble);
  attend_dual_tiles(qkv.to(at::kDouble), 1, exact);
  const at::Tensor found = at::empty({2, 1, length, width});
  DualAttention task;
  task.states = task.heads = 1;
  task.length = length;
  task.width = width;
  task.primal = {qkv[0].data_ptr(), 0};
  task.tangent = {qkv[1].data_ptr(), 0};
  task.context = found[0].data_ptr<float>();
  task.context_tangent = found[1].data_ptr<float>();
  ASSERT_EQ(attend(task, nullptr), cudaSuccess);
  EXPECT_LE((found.to(at::kDouble) - exact).abs().max().item<double>(), 2e-4);  // slopes of the order of ten
}

TEST(CudaKernelLimits, WidthsThatItDoesNotTake) {
  DualAttention task;
  task.states = task.heads = task.length = 1;
  for (const std::int64_t width : {0, 129}) {
    task.width = width;
    EXPECT_EQ(attend(task, nullptr), cudaErrorInvalidValue);
    EXPECT_FALSE(supports(Operand::Float32, width));
  }
  EXPECT_TRUE(supports(Operand::Float32, 128) && supports(Operand::BFloat16, 1));
}

}  // namespace
}  // namespace regulus::backbone::cuda
