#include "regulus/pretrain/adamw.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "regulus/core/error.h"

namespace regulus::pretrain {
namespace {

/// The algorithm as printed in Loshchilov and Hutter (2019), in float64, one parameter.
struct Reference {
  double value;
  double decay;
  double m = 0.0;
  double v = 0.0;

  void step(int t, double g, double rate) {
    m = 0.9 * m + 0.1 * g;
    v = 0.98 * v + 0.02 * g * g;
    const double m_hat = m / (1.0 - std::pow(0.9, t));
    const double v_hat = v / (1.0 - std::pow(0.98, t));
    value -= rate * (m_hat / (std::sqrt(v_hat) + 1e-8) + decay * value);
  }
};

double gradient_at(int t, std::size_t i) {
  return std::sin(0.7 * t + static_cast<double>(i)) + 0.2;
}

TEST(AdamW, FollowsTheFloat64Reference) {
  std::array<float, 3> values{0.5F, -2.0F, 3.0F};
  std::array<Reference, 3> reference{{{0.5, 0.1}, {-2.0, 0.0}, {3.0, 0.1}}};
  AdamW optimiser({.weight_decay = 0.1}, {1, 0, 1});
  for (int t = 1; t <= 200; ++t) {
    std::array<double, 3> gradient{};
    for (std::size_t i = 0; i < 3; ++i) {
      gradient[i] = gradient_at(t, i);
      reference[i].step(t, gradient[i], 0.01);
    }
    optimiser.step(values, gradient, 0.01);
  }
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(static_cast<double>(values[i]), reference[i].value, 2e-5) << "parameter " << i;
}

TEST(AdamW, FirstStepMovesByTheRateAgainstTheSign) {
  std::array<float, 2> values{1.0F, 1.0F};
  AdamW optimiser({.weight_decay = 0.0}, {0, 0});
  optimiser.step(values, std::array{1e-3, -50.0}, 0.25);
  EXPECT_NEAR(values[0], 0.75F, 1e-4F);
  EXPECT_NEAR(values[1], 1.25F, 1e-6F);
}

TEST(AdamW, DecayAloneShrinksGeometrically) {
  std::array<float, 2> values{1.0F, 1.0F};
  AdamW optimiser({.weight_decay = 0.5}, {1, 0});
  for (int t = 0; t < 3; ++t) optimiser.step(values, std::array{0.0, 0.0}, 0.2);
  EXPECT_NEAR(values[0], 0.9F * 0.9F * 0.9F, 1e-6F);
  EXPECT_EQ(values[1], 1.0F);
}

TEST(AdamW, RestoredContinuesWithTheSameBytes) {
  std::array<float, 1> one{0.3F};
  AdamW whole({}, {1});
  whole.step(one, std::array{0.4}, 0.1);
  std::array<float, 1> two = one;
  AdamW restored({}, {1});
  restored.restore(whole.steps(), whole.first_moment(), whole.second_moment());
  whole.step(one, std::array{-0.7}, 0.1);
  restored.step(two, std::array{-0.7}, 0.1);
  EXPECT_EQ(one, two);
  EXPECT_THROW(restored.restore(1, {0.0F, 0.0F}, {0.0F}), Error);
}

TEST(ClipNorm, ScalesOnlyWhatIsTooLong) {
  std::array gradient{3.0, 4.0};
  EXPECT_DOUBLE_EQ(clip_norm(gradient, 10.0), 5.0);
  EXPECT_EQ(gradient, (std::array{3.0, 4.0}));
  EXPECT_DOUBLE_EQ(clip_norm(gradient, 1.0), 5.0);
  EXPECT_NEAR(gradient[0], 0.6, 1e-15);
  EXPECT_NEAR(gradient[1], 0.8, 1e-15);
  EXPECT_DOUBLE_EQ(clip_norm(gradient, 0.0), 1.0);
}

}  // namespace
}  // namespace regulus::pretrain
