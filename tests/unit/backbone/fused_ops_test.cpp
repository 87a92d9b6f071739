// The fused steps against ATen's operations in float64, with every instruction set of this machine.
#include "backbone/fused_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "backbone/dual_ops.h"
#include "support/instruction_sets.h"

namespace {

using namespace regulus;

constexpr std::int64_t kRows = 6;

/// Random numbers of one type, with the same values in float64.
template <typename T>
class FusedOps : public ::testing::Test {
 protected:
  static constexpr at::ScalarType kType = c10::CppTypeToScalarType<T>::value;
  static constexpr double kTolerance = sizeof(T) == 8 ? 1e-13 : 2e-6;

  void SetUp() override { at::manual_seed(9); }

  static at::Tensor random(at::IntArrayRef shape) { return at::randn(shape, kType); }
  static at::Tensor exact(const at::Tensor& x) { return x.to(at::kDouble); }
  static T* data(const at::Tensor& x) { return x.data_ptr<T>(); }

  static void expect_close(const at::Tensor& actual, const at::Tensor& expected) {
    EXPECT_LT((exact(actual) - expected).abs().max().template item<double>(), kTolerance);
  }

  /// Calls visit(ops, width) for each instruction set and widths with and without a remainder.
  template <typename Visit>
  static void for_each_width(Visit visit) {
    test::for_each_instruction_set([&] {
      for (const std::int64_t width : {1, 7, 8, 24, 67, 128}) {
        SCOPED_TRACE(width);
        visit(backbone::fused_ops<T>(), width);
      }
    });
  }

  /// A layer's tensors and what ATen makes of them.
  struct Norm {
    explicit Norm(std::int64_t width)
        : x(random({2, kRows, width})),
          update(random({2, kRows, width})),
          bias(random({width})),
          weight(random({width})),
          shift(random({width})),
          sum(exact(x) + exact(update)) {
      sum[0].add_(exact(bias));
      expected = backbone::layer_norm({exact(weight), exact(shift)}, sum);
    }

    at::Tensor x, update, bias, weight, shift, sum, expected;
  };
};

using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(FusedOps, Types);

TYPED_TEST(FusedOps, AddBias) {
  this->for_each_width([](const auto& ops, std::int64_t width) {
    at::Tensor x = TestFixture::random({kRows, width});
    const at::Tensor bias = TestFixture::random({width});
    const at::Tensor expected = TestFixture::exact(x) + TestFixture::exact(bias);
    ops.add_bias(TestFixture::data(x), kRows, width, TestFixture::data(bias));
    TestFixture::expect_close(x, expected);
  });
}

TYPED_TEST(FusedOps, Rectify) {
  this->for_each_width([](const auto& ops, std::int64_t width) {
    at::Tensor x = TestFixture::random({2, kRows, width});
    at::Tensor bias = TestFixture::random({width});
    bias[0] = 0.0;
    x[0].select(1, 0).zero_();  // the derivative at 0 is the slope
    at::Tensor expected = TestFixture::exact(x);
    expected[0].add_(TestFixture::exact(bias));
    backbone::rectify_(expected, 0.25);
    const at::Tensor tangent = x[1].clone();
    const at::Tensor slopes = at::empty_like(tangent);
    ops.rectify(TestFixture::data(x), TestFixture::data(x[1]), kRows, width, TestFixture::data(bias),
                TypeParam(0.25), TestFixture::data(slopes));
    TestFixture::expect_close(x, expected);

    at::Tensor twice = at::cat({tangent, 3.0 * tangent});
    ops.rectify_tangent(TestFixture::data(twice), 2 * kRows, width, TestFixture::data(slopes), kRows);
    TestFixture::expect_close(twice, at::cat({expected[1], 3.0 * expected[1]}));
  });
}

TYPED_TEST(FusedOps, AddAndNormalise) {
  this->for_each_width([](const auto& ops, std::int64_t width) {
    typename TestFixture::Norm norm(width);
    at::Tensor primal = norm.x[0].clone();
    const auto step = [&](at::Tensor& x, TypeParam* tangent) {
      return backbone::ResidualNorm<TypeParam>{
          .rows = kRows,
          .width = width,
          .x = TestFixture::data(x),
          .tangent = tangent,
          .update = TestFixture::data(norm.update),
          .update_tangent = TestFixture::data(norm.update[1]),
          .update_bias = TestFixture::data(norm.bias),
          .norm = {TestFixture::data(norm.weight), TestFixture::data(norm.shift)},
          .record = {nullptr, nullptr}};
    };
    ops.add_and_normalise(step(norm.x, TestFixture::data(norm.x[1])));
    TestFixture::expect_close(norm.x, norm.expected);
    ops.add_and_normalise(step(primal, nullptr));
    EXPECT_TRUE(at::equal(primal, norm.x[0]));
  });
}

TYPED_TEST(FusedOps, TangentsAroundARecordedNorm) {
  this->for_each_width([](const auto& ops, std::int64_t width) {
    typename TestFixture::Norm norm(width);
    at::Tensor tangents = at::cat({norm.x[1], norm.x[1]});
    const at::Tensor updates = at::cat({norm.update[1], norm.update[1]});
    const at::Tensor normalised = at::empty_like(norm.bias.expand({kRows, width}).contiguous());
    const at::Tensor scale = TestFixture::random({kRows});
    const backbone::NormWeights<TypeParam> weights{TestFixture::data(norm.weight),
                                                   TestFixture::data(norm.shift)};
    const backbone::NormRecord<TypeParam> record{TestFixture::data(normalised), TestFixture::data(scale)};
    ops.add_and_normalise({.rows = kRows,
                           .width = width,
                           .x = TestFixture::data(norm.x),
                           .tangent = nullptr,
                           .update = TestFixture::data(norm.update),
                           .update_tangent = nullptr,
                           .update_bias = TestFixture::data(norm.bias),
                           .norm = weights,
                           .record = record});
    ops.normalise_tangent(TestFixture::data(tangents), TestFixture::data(updates), 2 * kRows, width, weights,
                          record, kRows);
    TestFixture::expect_close(tangents, at::cat({norm.expected[1], norm.expected[1]}));
  });
}

}  // namespace
