#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace regulus::translator {

/// AdamW (Loshchilov and Hutter 2019) with betas 0.9 and 0.999 and epsilon 1e-8. Plain sequential arithmetic
/// in double, so that ranks that repeat a step get the same bits.
class AdamW {
 public:
  AdamW(std::size_t parameters, double learning_rate, double weight_decay);

  /// One step, in place. \param gradient of the mean loss
  void step(std::span<float> parameters, std::span<const double> gradient);

 private:
  double learning_rate_;
  double weight_decay_;
  std::int64_t steps_ = 0;
  std::vector<double> first_moment_, second_moment_;
};

}  // namespace regulus::translator
