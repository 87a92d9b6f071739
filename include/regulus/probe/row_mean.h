#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/comm/exact_sum.h"

namespace regulus::probe {

/// An exact sum over rows, in range for values up to 2^10 (2^16 / rows where that is more).
comm::ExactSum exact_sum(std::size_t size, std::int64_t rows);

/// One feature's mean over rows, and on request its standard deviation: the same bits whatever the order of
/// the rows and the ranks they were computed on.
class RowMean {
 public:
  /// \param size values of a row \param rows how many there will be in all
  RowMean(std::size_t size, std::int64_t rows, bool with_spread);

  std::size_t size() const { return sum_.size(); }
  /// \param values of a row, from number `offset` on
  void add(const std::vector<double>& values, std::size_t offset = 0);

  /// This rank's rows to another rank, and theirs to this rank's. \see ExactSum
  void send(comm::PendingSends& sends, int to) const;
  void receive(const comm::Communicator& comm, int from);

  struct Result {
    std::vector<float> mean, deviation;  ///< no deviation without spread
  };
  /// \throws ModelError if a value was not finite or out of range
  Result result() const;

 private:
  comm::ExactSum sum_;
  std::optional<comm::ExactSum> squares_;
  std::int64_t rows_;
};

}  // namespace regulus::probe
