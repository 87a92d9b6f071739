#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "regulus/comm/communicator.h"

namespace regulus::comm {

/// Sums of real numbers over leaves and ranks that do not depend on their order or on the number of ranks: every addend
/// is rounded to a multiple of 2^-kFractionBits and added as an integer.
/// Range: sums up to 2^(62 - kFractionBits) in magnitude; resolution 2^-kFractionBits.
class ExactSum {
 public:
  static constexpr int kFractionBits = 38;

  explicit ExactSum(std::size_t size) : total_(size, 0) {}

  std::size_t size() const { return total_.size(); }
  void clear();
  /// Adds values to elements [offset, offset + values.size()). NaN, infinity or |value| above the range poisons the sum,
  /// which reduce() reports.
  void add(std::span<const float> values, std::size_t offset = 0);
  void add(std::span<const double> values, std::size_t offset = 0);

  /// The sums over all ranks, rounded once to double.
  /// \throws Error (Model) on every rank if an addend was not finite or out of range \collective yes
  std::vector<double> reduce(const Communicator& comm);

 private:
  template <typename T>
  void add_values(std::span<const T> values, std::size_t offset);

  std::vector<std::int64_t> total_;
  bool poisoned_ = false;
};

}  // namespace regulus::comm
