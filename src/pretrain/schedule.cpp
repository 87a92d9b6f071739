#include "regulus/pretrain/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace regulus::pretrain {

double learning_rate(const Schedule& schedule, std::int64_t step) {
  const double peak = schedule.peak;
  if (step < schedule.warmup_steps)
    return peak * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup_steps);
  const auto length = std::max<std::int64_t>(schedule.steps - 1 - schedule.warmup_steps, 1);
  const double p =
      std::min(1.0, static_cast<double>(step - schedule.warmup_steps) / static_cast<double>(length));
  const double floor = schedule.floor_share * peak;
  return floor + (peak - floor) * 0.5 * (1.0 + std::cos(std::numbers::pi * p));
}

}  // namespace regulus::pretrain
