#include "regulus/comm/pending_sends.h"

#include <algorithm>
#include <chrono>

#include "regulus/core/fault.h"

namespace regulus::comm {

namespace {

/// Numbers in one message of MPI, whose counts are ints.
constexpr std::size_t kMessageValues = std::size_t{1} << 27U;
constexpr int kTag = 1;
/// Of a failed rank for its messages: well below the time after which it ends the job.
constexpr std::chrono::seconds kPatience{2};

template <typename Values, typename Use>
void in_messages(Values values, Use use) {
  for (std::size_t begin = 0; begin < values.size(); begin += kMessageValues)
    use(values.subspan(begin, std::min(kMessageValues, values.size() - begin)));
}

}  // namespace

PendingSends::~PendingSends() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (int done = requests_.empty() ? 1 : 0; done == 0 && std::chrono::steady_clock::now() < end;)
    MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE);
}

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
