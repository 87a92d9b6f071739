#include "regulus/comm/pending_sends.h"

#include <algorithm>

#include "regulus/core/fault.h"

namespace regulus::comm {

namespace {

/// Numbers in one message of MPI, whose counts are ints.
constexpr std::size_t kMessageValues = std::size_t{1} << 27U;
constexpr int kTag = 1;

template <typename Values, typename Use>
void in_messages(Values values, Use use) {
  for (std::size_t begin = 0; begin < values.size(); begin += kMessageValues)
    use(values.subspan(begin, std::min(kMessageValues, values.size() - begin)));
}

}  // namespace

void PendingSends::send(std::span<const std::int64_t> values, int to) {
  fault::point("send");
  in_messages(values, [&](std::span<const std::int64_t> message) {
    requests_.push_back(MPI_REQUEST_NULL);
    MPI_Isend(message.data(), checked_count(message.size()), MPI_INT64_T, to, kTag, comm_.handle(),
              &requests_.back());
  });
}

void PendingSends::wait() {
  fault::point("wait_sends");
  MPI_Waitall(checked_count(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  requests_.clear();
}

void receive(const Communicator& comm, std::span<std::int64_t> values, int from) {
  fault::point("receive");
  in_messages(values, [&](std::span<std::int64_t> message) {
    MPI_Recv(message.data(), checked_count(message.size()), MPI_INT64_T, from, kTag, comm.handle(),
             MPI_STATUS_IGNORE);
  });
}

}  // namespace regulus::comm
