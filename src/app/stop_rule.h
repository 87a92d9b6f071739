#pragma once

#include <chrono>
#include <cmath>

#include "command.h"
#include "regulus/core/stop_signal.h"

namespace regulus::app {

/// Asks to stop on a signal and when --max-hours have passed since its construction.
class StopRule {
 public:
  explicit StopRule(const Options& options)
      : limit_h_(options.given("max-hours") ? options.in_range("max-hours", 0.0, 1e6) : INFINITY) {}

  bool operator()() const {
    const std::chrono::duration<double, std::ratio<3600>> elapsed = std::chrono::steady_clock::now() - start_;
    return signal_.received() || elapsed.count() >= limit_h_;
  }

 private:
  StopSignal signal_;
  double limit_h_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace regulus::app
