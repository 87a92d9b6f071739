#include "regulus/translator/adamw.h"

#include <cmath>

namespace regulus::translator {

namespace {
constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;
}  // namespace

AdamW::AdamW(std::size_t parameters, double learning_rate, double weight_decay)
    : learning_rate_(learning_rate),
      weight_decay_(weight_decay),
      state_{0, std::vector<double>(parameters, 0.0), std::vector<double>(parameters, 0.0)} {}

void AdamW::step(std::span<float> parameters, std::span<const double> gradient) {
  auto& [steps, first_moment, second_moment] = state_;
  ++steps;
  const double correction1 = 1.0 - std::pow(kBeta1, static_cast<double>(steps));
  const double correction2 = 1.0 - std::pow(kBeta2, static_cast<double>(steps));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    first_moment[i] = kBeta1 * first_moment[i] + (1.0 - kBeta1) * gradient[i];
    second_moment[i] = kBeta2 * second_moment[i] + (1.0 - kBeta2) * gradient[i] * gradient[i];
    const double root = std::sqrt(second_moment[i] / correction2) + kEpsilon;
    const double old = static_cast<double>(parameters[i]);
    parameters[i] = static_cast<float>(
        old - learning_rate_ * (first_moment[i] / correction1 / root + weight_decay_ * old));
  }
}

}  // namespace regulus::translator
