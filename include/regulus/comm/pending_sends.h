#pragma once

#include <mpi.h>

#include <cstdint>
#include <span>
#include <vector>

#include "regulus/comm/communicator.h"

namespace regulus::comm {

/// Messages under way to other ranks, which receive() them in the order in which they were sent, each when it
/// gets to it: no rank waits for another that is busy with a third.
class PendingSends {
 public:
  explicit PendingSends(const Communicator& comm) : comm_(comm) {}
  /// Where an error skips wait(): the values are about to go, so messages get a moment to be received, but
  /// not forever, for the receiver may have failed as well.
  ~PendingSends();
  PendingSends(const PendingSends&) = delete;
  PendingSends& operator=(const PendingSends&) = delete;

  /// \param values must stay as and where they are until wait() \collective no
  void send(std::span<const std::int64_t> values, int to);
  /// Until all were received. \collective no
  void wait();

 private:
  const Communicator& comm_;
  std::vector<MPI_Request> requests_;
};

/// Equally many values as `from` sent. \collective no
void receive(const Communicator& comm, std::span<std::int64_t> values, int from);

}  // namespace regulus::comm
