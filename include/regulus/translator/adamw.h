#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace regulus::translator {

/// AdamW (Loshchilov and Hutter 2019) with betas 0.9 and 0.999 and epsilon 1e-8. Plain sequential arithmetic
/// in double, so that ranks that repeat a step get the same bits.
class AdamW {
 public:
  /// What it carries from one step to the next.
  struct State {
    std::int64_t steps = 0;
    std::vector<double> first_moment, second_moment;  ///< [parameters]
  };

  AdamW(std::size_t parameters, double learning_rate, double weight_decay);

  /// One step, in place. \param gradient of the mean loss
  void step(std::span<float> parameters, std::span<const double> gradient);

  const State& state() const { return state_; }
  void restore(State state) { state_ = std::move(state); }

 private:
  double learning_rate_;
  double weight_decay_;
  State state_;
};

}  // namespace regulus::translator
