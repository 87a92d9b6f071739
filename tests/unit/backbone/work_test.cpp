// The counts of work against a network of literal loops, which counts its multiply-adds as it goes.
#include "regulus/backbone/work.h"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace regulus::backbone;

constexpr PassShape kShape{.width = 6, .hidden = 5, .heads = 2, .layers = 3, .length = 7, .targets = 4};

/// Floating point operations of a pass, counted one by one.
class CountedPass {
 public:
  enum class Kind { Forward, Dual, Tangent };

  CountedPass(const PassShape& shape, Kind kind) : s_(shape), kind_(kind) {}

  double run(bool shares_first_layer) {
    for (std::int64_t layer = 1; layer <= s_.layers; ++layer) {
      const std::int64_t queries = layer == s_.layers ? s_.targets : s_.length;
      if (layer > 1 || !shares_first_layer) attention_layer(queries);
      linear(queries, s_.width, s_.width);
      linear(queries, s_.width, s_.hidden);
      linear(queries, s_.hidden, s_.width);
    }
    linear(s_.targets, s_.width, s_.width);
    linear(s_.targets, s_.width, s_.width);
    linear(s_.targets, s_.width, 1);
    return flops_;
  }

 private:
  void product(std::int64_t rows, std::int64_t inner, std::int64_t columns) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        for (std::int64_t k = 0; k < inner; ++k) flops_ += 2.0;  // one multiplication, one addition
  }

  /// y = W x, and ẏ = W ẋ.
  void linear(std::int64_t rows, std::int64_t from, std::int64_t to) {
    if (kind_ != Kind::Tangent) product(rows, from, to);
    if (kind_ != Kind::Forward) product(rows, from, to);
  }

  void attention_layer(std::int64_t queries) {
    linear(queries, s_.width, s_.width);
    linear(s_.length, s_.width, s_.width);
    linear(s_.length, s_.width, s_.width);
    const std::int64_t head_width = s_.width / s_.heads;
    for (std::int64_t head = 0; head < s_.heads; ++head) {
      if (kind_ != Kind::Tangent) {
        product(queries, head_width, s_.length);  // S = Q Kᵀ
        product(queries, s_.length, head_width);  // O = A V
      }
      if (kind_ == Kind::Forward) continue;
      product(queries, head_width, s_.length);  // Q̇ Kᵀ
      product(queries, head_width, s_.length);  // Q K̇ᵀ
      product(queries, s_.length, head_width);  // (A∘Ṡ) V
      product(queries, s_.length, head_width);  // A V̇
    }
  }

  PassShape s_;
  Kind kind_;
  double flops_ = 0.0;
};

TEST(Work, IsWhatLoopsCount) {
  for (const std::int64_t layers : {1, 2, 3}) {
    PassShape shape = kShape;
    shape.layers = layers;
    using Kind = CountedPass::Kind;
    EXPECT_EQ(primal_flops(shape), CountedPass(shape, Kind::Forward).run(false));
    EXPECT_EQ(forward_pass_flops(shape), CountedPass(shape, Kind::Forward).run(true));
    EXPECT_EQ(dual_pass_flops(shape), CountedPass(shape, Kind::Dual).run(true));
    EXPECT_EQ(tangent_pass_flops(shape), CountedPass(shape, Kind::Tangent).run(true));
  }
}

/// 20,000 positions and more: L² d passes 2⁶³.
TEST(Work, LargePanelsOverflowNothing) {
  const PassShape shape{.width = 1 << 20, .hidden = 1, .layers = 2, .length = 1 << 24, .targets = 1 << 24};
  const double attention = 4.0 * std::pow(2.0, 24 + 24 + 20);
  EXPECT_NEAR(dual_pass_flops(shape) / (3.0 * attention), 1.0, 0.2);
}

}  // namespace
