#include "regulus/comm/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "regulus/core/error.h"
#include "regulus/core/fault.h"

namespace regulus::comm {

namespace {

[[noreturn]] void not_sound() {
  throw ModelError("a sum over ranks met a number that is not finite or exceeds the range", "exact sum",
                   "look for extreme values in the model or the input; in training, lower the learning rate");
}

}  // namespace

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

std::vector<double> ExactSum::rounded() const {
  std::vector<double> result(total_.size());
  std::transform(total_.begin(), total_.end(), result.begin(),
                 [this](std::int64_t fixed) { return static_cast<double>(fixed) / scale_; });
  return result;
}

std::vector<double> ExactSum::reduce(const Communicator& comm) {
  fault::point("reduce");
  if (comm.any(poisoned_)) not_sound();
  comm.sum(total_);
  return rounded();
}

void ExactSum::gather(const Communicator& comm, const std::vector<int>& parts, int owner) {
  fault::point("gather");
  std::vector<std::int64_t> poisoned{poisoned_ ? 1 : 0};
  if (comm.rank() != owner) {
    comm.send(total_, owner);
    comm.send(poisoned, owner);
    return;
  }
  std::vector<std::int64_t> part;
  for (const int rank : parts) {
    if (rank == owner) continue;
    comm.receive(part, rank);
    comm.receive(poisoned, rank);
    std::transform(total_.begin(), total_.end(), part.begin(), total_.begin(), std::plus<>());
    poisoned_ = poisoned_ || poisoned.front() != 0;
  }
}

std::vector<double> ExactSum::totals() const {
  if (poisoned_) not_sound();
  return rounded();
}

}  // namespace regulus::comm
