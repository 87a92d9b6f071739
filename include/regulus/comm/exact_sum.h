#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/comm/pending_sends.h"

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

  /// Sends this rank's part to another rank. The sum must stay as and where it is until the sends are done.
  /// \collective no
  void send(PendingSends& sends, int to) const;
  /// Adds the part that another rank sends. \collective no
  void receive(const Communicator& comm, int from);
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
  std::int64_t poisoned_ = 0;  ///< 1: an addend was not finite or out of range
};

}  // namespace regulus::comm
