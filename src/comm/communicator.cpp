#include "regulus/comm/communicator.h"

#include <cstdlib>
#include <limits>
#include <thread>
#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/fault.h"

namespace regulus::comm {

namespace {

/// Bytes sent in one MPI call; longer transfers go in several.
constexpr std::size_t kChunk_bytes = std::size_t{1} << 30U;
constexpr std::size_t kChunk_values = kChunk_bytes / sizeof(std::int64_t);

}  // namespace

int checked_count(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw Error(ErrorKind::Internal,
                "a message of " + std::to_string(count) + " elements is too long for one MPI call");
  return static_cast<int>(count);
}

void abort_job(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::abort();
}

Environment::Environment(int& argc, char**& argv) {
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  if (provided < MPI_THREAD_FUNNELED)
    throw Error(ErrorKind::Internal, "this MPI does not offer MPI_THREAD_FUNNELED", "MPI_Init_thread",
                "use an MPI built with thread support");
}

Environment::~Environment() {
  MPI_Finalize();
}

Communicator::Communicator(MPI_Comm owned) : handle_(owned) {
  MPI_Comm_rank(handle_, &rank_);
  MPI_Comm_size(handle_, &size_);
}

Communicator Communicator::world() {
  MPI_Comm copy = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &copy);
  return Communicator(copy);
}

Communicator Communicator::self() {
  MPI_Comm copy = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_SELF, &copy);
  return Communicator(copy);
}

Communicator Communicator::duplicate() const {
  fault::point("duplicate");
  MPI_Comm copy = MPI_COMM_NULL;
  MPI_Comm_dup(handle_, &copy);
  return Communicator(copy);
}

Communicator Communicator::split_by_host() const {
  fault::point("split");
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm_split_type(handle_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host);
  return Communicator(host);
}

Communicator::Communicator(Communicator&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_COMM_NULL)), rank_(other.rank_), size_(other.size_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(rank_, other.rank_);
  std::swap(size_, other.size_);
  return *this;
}

Communicator::~Communicator() {
  // MPI_Comm_free is collective by the standard; Open MPI frees locally, and the handle would otherwise leak.
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (handle_ != MPI_COMM_NULL && finalized == 0) MPI_Comm_free(&handle_);
}

void Communicator::barrier() const {
  fault::point("barrier");
  MPI_Barrier(handle_);
}

bool Communicator::all_arrive_within(std::chrono::milliseconds patience) const {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(handle_, &request);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int arrived = 0;
  MPI_Test(&request, &arrived, MPI_STATUS_IGNORE);
  while (arrived == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    MPI_Test(&request, &arrived, MPI_STATUS_IGNORE);
  }
  return arrived != 0;
}

int Communicator::max(int value) const {
  fault::point("max");
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MAX, handle_);
  return value;
}

std::int64_t Communicator::max(std::int64_t value) const {
  fault::point("max");
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_MAX, handle_);
  return value;
}

std::int64_t Communicator::sum(std::int64_t value) const {
  fault::point("sum");
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_SUM, handle_);
  return value;
}

void Communicator::sum(std::span<std::int64_t> values) const {
  fault::point("sum");
  for (std::size_t begin = 0; begin < values.size(); begin += kChunk_values)
    MPI_Allreduce(MPI_IN_PLACE, values.data() + begin,
                  checked_count(std::min(kChunk_values, values.size() - begin)), MPI_INT64_T, MPI_SUM,
                  handle_);
}

void Communicator::send_bytes(const void* data, std::size_t bytes, int to) const {
  const char* cursor = static_cast<const char*>(data);
  for (std::size_t begin = 0; begin < bytes; begin += kChunk_bytes)
    MPI_Send(cursor + begin, checked_count(std::min(kChunk_bytes, bytes - begin)), MPI_BYTE, to, 0, handle_);
}

void Communicator::receive_bytes(void* data, std::size_t bytes, int from) const {
  char* cursor = static_cast<char*>(data);
  for (std::size_t begin = 0; begin < bytes; begin += kChunk_bytes)
    MPI_Recv(cursor + begin, checked_count(std::min(kChunk_bytes, bytes - begin)), MPI_BYTE, from, 0, handle_,
             MPI_STATUS_IGNORE);
}

void Communicator::broadcast_bytes(void* data, std::size_t bytes, int root) const {
  char* cursor = static_cast<char*>(data);
  for (std::size_t begin = 0; begin < bytes; begin += kChunk_bytes)
    MPI_Bcast(cursor + begin, checked_count(std::min(kChunk_bytes, bytes - begin)), MPI_BYTE, root, handle_);
}

void Communicator::broadcast(std::string& text, int root) const {
  std::vector<char> bytes(text.begin(), text.end());
  broadcast(bytes, root);
  text.assign(bytes.begin(), bytes.end());
}

void Communicator::broadcast(std::vector<std::string>& texts, int root) const {
  std::string joined;
  std::vector<std::uint64_t> lengths;
  for (const auto& text : texts) {
    joined += text;
    lengths.push_back(text.size());
  }
  broadcast(lengths, root);
  broadcast(joined, root);
  texts.clear();
  std::size_t begin = 0;
  for (const auto length : lengths) {
    texts.push_back(joined.substr(begin, length));
    begin += length;
  }
}

std::vector<char> Communicator::all_gather_bytes(const void* data, std::size_t bytes) const {
  fault::point("all_gather");
  const int mine = checked_count(bytes);
  std::vector<int> counts(static_cast<std::size_t>(size_));
  MPI_Allgather(&mine, 1, MPI_INT, counts.data(), 1, MPI_INT, handle_);
  std::vector<int> offsets(counts.size(), 0);
  std::size_t total = 0;
  for (std::size_t r = 0; r < counts.size(); ++r) {
    offsets[r] = checked_count(total);
    total += static_cast<std::size_t>(counts[r]);
  }
  std::vector<char> all(total);
  MPI_Allgatherv(data, mine, MPI_BYTE, all.data(), counts.data(), offsets.data(), MPI_BYTE, handle_);
  return all;
}

int Communicator::host_count() const {
  const Communicator host = split_by_host();
  return static_cast<int>(sum(static_cast<std::int64_t>(host.is_root() ? 1 : 0)));
}

int Communicator::local_rank() const {
  return split_by_host().rank();
}

}  // namespace regulus::comm
