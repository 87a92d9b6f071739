#pragma once

#include <cstdint>

namespace regulus::pretrain {

/// Learning rate over the steps of one training run: a linear warm-up, then half a cosine down to a floor.
struct Schedule {
  double peak = 1e-3;         ///< learning rate at the end of the warm-up
  double floor_share = 0.05;  ///< of the peak, reached at the last step
  std::int64_t warmup_steps = 0;
  std::int64_t steps = 1;  ///< of the whole run, warm-up included
};

/// Learning rate of step `step` (0-based): peak * (step + 1) / warmup_steps during the warm-up, afterwards
/// floor + (peak - floor) * (1 + cos(pi * p)) / 2 with p rising from 0 to 1 at the last step.
/// \throws nothing; steps past the end stay at the floor
double learning_rate(const Schedule& schedule, std::int64_t step);

}  // namespace regulus::pretrain
