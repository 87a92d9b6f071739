#include "regulus/pretrain/adamw.h"

#include <cmath>

#include "regulus/core/error.h"

namespace regulus::pretrain {

AdamW::AdamW(const AdamWOptions& options, std::vector<std::uint8_t> decays)
    : options_(options),
      decays_(std::move(decays)),
      first_(decays_.size(), 0.0F),
      second_(decays_.size(), 0.0F) {}

void AdamW::step(std::span<float> values, std::span<const double> gradient, double rate) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const auto beta1 = static_cast<float>(options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto gain1 = static_cast<float>(1.0 - options_.beta1);
  const auto gain2 = static_cast<float>(1.0 - options_.beta2);
  const auto step_size = static_cast<float>(rate / (1.0 - std::pow(options_.beta1, t)));
  const auto root_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options_.beta2, t)));
  const auto epsilon = static_cast<float>(options_.epsilon);
  const auto shrink = static_cast<float>(rate * options_.weight_decay);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto g = static_cast<float>(gradient[i]);
    first_[i] = beta1 * first_[i] + gain1 * g;
    second_[i] = beta2 * second_[i] + gain2 * g * g;
    const float update = step_size * first_[i] / (std::sqrt(second_[i]) * root_correction + epsilon);
    values[i] -= update + shrink * static_cast<float>(decays_[i]) * values[i];
  }
}

void AdamW::restore(std::int64_t steps, std::vector<float> first, std::vector<float> second) {
  if (first.size() != first_.size() || second.size() != second_.size())
    throw Error(ErrorKind::Internal, "moments of another number of parameters");
  steps_ = steps;
  first_ = std::move(first);
  second_ = std::move(second);
}

double clip_norm(std::span<double> gradient, double limit) {
  double squares = 0.0;
  for (const double g : gradient) squares += g * g;
  const double norm = std::sqrt(squares);
  if (limit > 0.0 && norm > limit)
    for (double& g : gradient) g *= limit / norm;
  return norm;
}

}  // namespace regulus::pretrain
