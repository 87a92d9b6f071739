#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "regulus/comm/communicator.h"

namespace regulus::comm {

/// Sums of real numbers over leaves and ranks that do not depend on their order or on the number of ranks:
/// every addend is rounded to a multiple of the resolution 2^-fraction_bits and added as an integer.
class ExactSum {
 public:
  static constexpr int kFractionBits = 38;
  static constexpr std::int64_t kAddends = 1 << 16;

  /// \param size          number of independent sums
  /// \param fraction_bits the resolution; each addend may reach 2^(62 - fraction_bits) / addends in magnitude
  /// \param addends       most addends per sum, over all ranks
  explicit ExactSum(std::size_t size, int fraction_bits = kFractionBits, std::int64_t addends = kAddends);

  std::size_t size() const { return total_.size(); }
  void clear();
  /// Adds values to elements [offset, offset + values.size()). NaN, infinity or |value| above the range
  /// poisons the sum, which reduce() reports.
  void add(std::span<const float> values, std::size_t offset = 0);
  void add(std::span<const double> values, std::size_t offset = 0);

  /// The sums over all ranks, rounded once to double.
  /// \throws Error (Model) on every rank if an addend was not finite or out of range \collective yes
  std::vector<double> reduce(const Communicator& comm);

  /// Adds the parts of other ranks to the owner's. \param parts the ranks that added something, the owner
  /// included \collective yes, over these ranks alone, which must agree on `parts` and `owner`
  void gather(const Communicator& comm, const std::vector<int>& parts, int owner);
  /// This rank's sums, rounded once to double. \throws Error (Model) if an addend was not finite or out of
  /// range \collective no
  std::vector<double> totals() const;

 private:
  template <typename T>
  void add_values(std::span<const T> values, std::size_t offset);

  std::vector<double> rounded() const;

  std::vector<std::int64_t> total_;
  double scale_;
  double largest_addend_;
  bool poisoned_ = false;
};

}  // namespace regulus::comm
