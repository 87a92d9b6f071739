// The model on a CUDA device against the CPU, where there is one.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "backbone/dual_attention.h"
#include "regulus/backbone/device.h"
#include "regulus/backbone/transformer.h"
#include "support/correlation.h"
#include "support/tiny_model.h"

namespace {

using namespace regulus;

constexpr double kFloatTolerance = 5e-6;  // two float32 evaluations of outputs of order one
constexpr double kAttentionTolerance = 2e-5;
constexpr double kLeastCorrelation = 0.999;

class Cuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (backbone::cuda_device_count() == 0) GTEST_SKIP() << "this LibTorch has no CUDA device here";
  }

  std::unique_ptr<backbone::PanelPass> open(at::ScalarType precision, at::Device device) const {
    const auto backbone = backbone::make_transformer(model_, {.precision = precision, .device = device});
    return backbone->open_panel(at::arange(kLength, at::kLong), background_.to(backbone->precision()));
  }

  static double error(const at::Tensor& found, const at::Tensor& expected) {
    return (found.cpu().to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>();
  }

  static constexpr std::int64_t kLength = 131;
  backbone::Model model_ = test::tiny_model(kLength, 17, 96, 4, 3);
  at::Tensor background_ = at::remainder(at::arange(kLength, at::kDouble) * 1.7, 6.0);
  at::Tensor sources_ = at::tensor(std::vector<std::int64_t>{0, 5, 130, 20});
  at::Tensor values_ = at::tensor(std::vector<double>{0.3, 4.1, 2.2, 1.0}, at::kDouble);
};

TEST_F(Cuda, Float32AgreesWithTheCpu) {
  const auto exact = open(at::kDouble, at::kCPU), found = open(at::kFloat, at::kCUDA);
  const auto expected = exact->respond_dual(sources_, values_);
  const auto dual = found->respond_dual(sources_, values_);
  EXPECT_TRUE(dual.primal.is_cpu());
  EXPECT_LE(error(dual.primal, expected.primal), kFloatTolerance);
  EXPECT_LE(error(dual.tangent, expected.tangent), kFloatTolerance);
  EXPECT_LE(error(found->respond(sources_, values_), expected.primal), kFloatTolerance);
  EXPECT_LE(error(found->tangents(sources_), exact->tangents(sources_)), kFloatTolerance);
  EXPECT_LE(error(found->attention(sources_, true), exact->attention(sources_, true)), kFloatTolerance);
  EXPECT_LE(error(found->baseline(), exact->baseline()), kFloatTolerance);
}

TEST_F(Cuda, BFloat16CorrelatesWithTheCpu) {
  const auto exact = open(at::kDouble, at::kCPU), found = open(at::kBFloat16, at::kCUDA);
  EXPECT_GE(test::correlation(found->respond_dual(sources_, values_).tangent,
                              exact->respond_dual(sources_, values_).tangent),
            kLeastCorrelation);
  EXPECT_GE(test::correlation(found->tangents(sources_), exact->tangents(sources_)), kLeastCorrelation);
  EXPECT_LE(error(found->respond(sources_, values_), exact->respond(sources_, values_)), kFloatTolerance);
}

/// Float32 by three TF32 products, and every padded width; beyond 128, plain operations.
TEST_F(Cuda, AttentionOfEveryHeadWidthAgreesWithTheCpu) {
  for (const std::int64_t width : {5, 16, 24, 64, 100, 128, 136}) {
    at::manual_seed(2);
    const at::Tensor qkv = at::randn({2, 3, 150, 3 * 2 * width}, at::kDouble);
    at::Tensor exact = at::empty({2, 3, 150, 2 * width}, at::kDouble);
    backbone::attend_dual(qkv, 2, exact);
    at::Tensor found = at::empty({2, 3, 150, 2 * width}, at::device(at::kCUDA).dtype(at::kFloat));
    backbone::attend_dual(qkv.to(at::kCUDA, at::kFloat), 2, found);
    EXPECT_LE(error(found, exact), kAttentionTolerance) << width;
  }
}

}  // namespace
