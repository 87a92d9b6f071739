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
  poisoned_ = 0;
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
  poisoned_ |= in_range ? 0 : 1;
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
  if (comm.any(poisoned_ != 0)) not_sound();
  comm.sum(total_);
  return rounded();
}

void ExactSum::send(PendingSends& sends, int to) const {
  fault::point("gather");
  sends.send(total_, to);
  sends.send({&poisoned_, 1}, to);
}

void ExactSum::receive(const Communicator& comm, int from) {
  fault::point("gather");
  std::vector<std::int64_t> part(total_.size());
  std::int64_t poisoned = 0;
  comm::receive(comm, part, from);
  comm::receive(comm, {&poisoned, 1}, from);
  std::transform(total_.begin(), total_.end(), part.begin(), total_.begin(), std::plus<>());
  poisoned_ |= poisoned;
}

std::vector<double> ExactSum::totals() const {
  if (poisoned_ != 0) not_sound();
  return rounded();
}

}  // namespace regulus::comm
