#include "regulus/comm/exact_sum.h"

#include <algorithm>
#include <cmath>

#include "regulus/core/error.h"
#include "regulus/core/fault.h"

namespace regulus::comm {

ExactSum::ExactSum(std::size_t size, int fraction_bits, std::int64_t addends)
    : total_(size, 0),
      scale_(std::ldexp(1.0, fraction_bits)),
      largest_addend_(std::ldexp(1.0, 62 - fraction_bits) / static_cast<double>(addends)) {}

void ExactSum::clear() {
  std::fill(total_.begin(), total_.end(), 0);
  poisoned_ = false;
}

template <typename T>
void ExactSum::add_values(std::span<const T> values, std::size_t offset) {
  bool in_range = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = static_cast<double>(values[i]);
    const bool usable = std::abs(value) <= largest_addend_;  // false for NaN as well
    in_range = in_range && usable;
    total_[offset + i] += usable ? static_cast<std::int64_t>(std::nearbyint(value * scale_)) : 0;
  }
  poisoned_ = poisoned_ || !in_range;
}

void ExactSum::add(std::span<const float> values, std::size_t offset) {
  add_values(values, offset);
}

void ExactSum::add(std::span<const double> values, std::size_t offset) {
  add_values(values, offset);
}

void ExactSum::require_sound(const Communicator& comm) const {
  if (comm.any(poisoned_))
    throw ModelError(
        "a sum over ranks met a number that is not finite or exceeds the range", "exact sum",
        "look for extreme values in the model or the input; in training, lower the learning rate");
}

std::vector<double> ExactSum::rounded() const {
  std::vector<double> result(total_.size());
  std::transform(total_.begin(), total_.end(), result.begin(),
                 [this](std::int64_t fixed) { return static_cast<double>(fixed) / scale_; });
  return result;
}

std::vector<double> ExactSum::reduce(const Communicator& comm) {
  fault::point("reduce");
  require_sound(comm);
  comm.sum(total_);
  return rounded();
}

std::vector<double> ExactSum::reduce_to(const Communicator& comm, int root) {
  fault::point("reduce_to");
  require_sound(comm);
  comm.sum_to(total_, root);
  if (comm.rank() != root) return {};
  return rounded();
}

}  // namespace regulus::comm
