#include "regulus/translator/adamw.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace regulus::translator {
namespace {

/// With a constant gradient both corrected moments are exact: every step is the learning rate, whatever the
/// scale.
TEST(AdamW, ConstantGradientsMoveByTheLearningRate) {
  std::array<float, 2> parameters{1.0F, 1.0F};
  AdamW optimiser(2, 0.25, 0.0);
  for (int step = 0; step < 3; ++step) optimiser.step(parameters, std::array<double, 2>{1000.0, -0.01});
  EXPECT_NEAR(parameters[0], 1.0 - 3 * 0.25, 1e-5);
  EXPECT_NEAR(parameters[1], 1.0 + 3 * 0.25, 1e-5);
}

TEST(AdamW, SecondStepFollowsTheMomentFormulas) {
  std::array<float, 1> parameters{0.0F};
  AdamW optimiser(1, 0.1, 0.0);
  optimiser.step(parameters, std::array<double, 1>{1.0});
  const double first = parameters[0];
  optimiser.step(parameters, std::array<double, 1>{-2.0});
  const double m = (0.9 * 0.1 * 1.0 + 0.1 * -2.0) / (1.0 - 0.81);
  const double v = (0.999 * 0.001 * 1.0 + 0.001 * 4.0) / (1.0 - 0.998001);
  EXPECT_NEAR(parameters[0] - first, -0.1 * m / std::sqrt(v), 1e-6);
}

TEST(AdamW, WeightDecayIsDecoupledFromTheGradient) {
  std::array<float, 1> parameters{2.0F};
  AdamW optimiser(1, 0.1, 0.5);
  for (int step = 0; step < 4; ++step) optimiser.step(parameters, std::array<double, 1>{0.0});
  EXPECT_NEAR(parameters[0], 2.0 * std::pow(1.0 - 0.1 * 0.5, 4), 1e-6);
}

}  // namespace
}  // namespace regulus::translator
