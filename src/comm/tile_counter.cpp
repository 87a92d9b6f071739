#include "regulus/comm/tile_counter.h"

#include <algorithm>

#include "regulus/core/fault.h"

namespace regulus::comm {

TileCounter::TileCounter(const Communicator& comm, std::int64_t count) {
  fault::point("counter_open");
  const MPI_Aint bytes = comm.is_root() ? 2 * sizeof(std::int64_t) : 0;
  std::int64_t* memory = nullptr;
  MPI_Win_allocate(bytes, sizeof(std::int64_t), MPI_INFO_NULL, comm.handle(), &memory, &window_);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, window_);
  if (comm.is_root()) {
    memory[kNext] = 0;
    memory[kLimit] = count;
    MPI_Win_sync(window_);
  }
  comm.barrier();
}

TileCounter::~TileCounter() = default;

std::int64_t TileCounter::update(Place place, MPI_Op op, std::int64_t value) {
  std::int64_t before = 0;
  MPI_Fetch_and_op(&value, &before, MPI_INT64_T, 0, place, op, window_);
  MPI_Win_flush(0, window_);
  return before;
}

std::optional<std::int64_t> TileCounter::take() {
  const std::int64_t number = update(kNext, MPI_SUM, 1);
  if (number < update(kLimit, MPI_NO_OP, 0)) return number;
  return std::nullopt;
}

std::int64_t TileCounter::taken() {
  return std::min(update(kNext, MPI_NO_OP, 0), update(kLimit, MPI_NO_OP, 0));
}

void TileCounter::stop_at(std::int64_t limit) {
  update(kLimit, MPI_MIN, limit);
}

void TileCounter::close() {
  fault::point("counter_close");
  MPI_Win_unlock_all(window_);
  MPI_Win_free(&window_);
}

}  // namespace regulus::comm
