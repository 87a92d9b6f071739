#pragma once

#include <mpi.h>

#include <cstdint>
#include <optional>

#include "regulus/comm/communicator.h"

namespace regulus::comm {

/// Hands out the numbers 0, 1, … to whichever rank asks next, each once. The counter is one-sided memory of
/// rank 0: taking a number needs no other rank's attention where the network (or the host's memory) has
/// atomic operations of its own, and rank 0's next MPI call where it has not. \see MPI-3, one-sided
/// communication
class TileCounter {
 public:
  /// \param count numbers to hand out \collective yes
  TileCounter(const Communicator& comm, std::int64_t count);
  ~TileCounter();
  TileCounter(const TileCounter&) = delete;
  TileCounter& operator=(const TileCounter&) = delete;

  /// The next number, or nothing when all are handed out or the counter was stopped. \collective no
  std::optional<std::int64_t> take();

  /// Numbers handed out so far, by any rank. \collective no
  std::int64_t taken();

  /// From now on no rank is given `limit` or a number above it. \collective no
  void stop_at(std::int64_t limit);

  /// Frees the counter; without it the memory lives until MPI ends. \collective yes
  void close();

 private:
  enum Place : int { kNext = 0, kLimit = 1 };
  std::int64_t update(Place place, MPI_Op op, std::int64_t value);

  MPI_Win window_ = MPI_WIN_NULL;
};

}  // namespace regulus::comm
