#pragma once

#include <chrono>
#include <cmath>

#include "command.h"
#include "regulus/core/stop_signal.h"

namespace regulus::app {

/// Asks to stop on a signal and when --max-hours have passed since its construction, or will have before work
/// of some length is done.
class StopRule {
 public:
  explicit StopRule(const Session& session)
      : signal_(session.stop_signal),
        limit_h_(session.options.given("max-hours") ? session.options.in_range("max-hours", 0.0, 1e6)
                                                    : INFINITY) {}

  bool operator()(double needed_s = 0.0) const {
    constexpr double kHour_s = 3600.0;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    return (signal_ != nullptr && signal_->received()) || elapsed.count() + needed_s >= limit_h_ * kHour_s;
  }

 private:
  const StopSignal* signal_;
  double limit_h_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace regulus::app
