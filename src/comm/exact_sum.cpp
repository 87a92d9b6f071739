#include "regulus/comm/exact_sum.h"

#include <algorithm>
#include <cmath>

#include "regulus/core/error.h"

namespace regulus::comm {

namespace {

constexpr double kScale = static_cast<double>(std::int64_t{1} << ExactSum::kFractionBits);
/// One addend may use this much of the range; 2^16 addends of that size still fit.
constexpr double kLargestAddend = static_cast<double>(std::int64_t{1} << (62 - ExactSum::kFractionBits - 16));

}  // namespace

void ExactSum::clear() {
  std::fill(total_.begin(), total_.end(), 0);
  poisoned_ = false;
}

template <typename T>
void ExactSum::add_values(std::span<const T> values, std::size_t offset) {
  bool in_range = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = static_cast<double>(values[i]);
    const bool usable = std::abs(value) <= kLargestAddend;  // false for NaN as well
    in_range = in_range && usable;
    total_[offset + i] += usable ? static_cast<std::int64_t>(std::nearbyint(value * kScale)) : 0;
  }
  poisoned_ = poisoned_ || !in_range;
}

void ExactSum::add(std::span<const float> values, std::size_t offset) { add_values(values, offset); }

void ExactSum::add(std::span<const double> values, std::size_t offset) { add_values(values, offset); }

std::vector<double> ExactSum::reduce(const Communicator& comm) {
  if (comm.any(poisoned_))
    throw ModelError("a sum over ranks met a number that is not finite or exceeds the range", "exact sum",
                     "lower the learning rate, or check the input for extreme values");
  comm.sum(total_);
  std::vector<double> result(total_.size());
  std::transform(total_.begin(), total_.end(), result.begin(),
                 [](std::int64_t fixed) { return static_cast<double>(fixed) / kScale; });
  return result;
}

}  // namespace regulus::comm
