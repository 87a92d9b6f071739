#pragma once

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "regulus/core/fault.h"

namespace regulus::comm {

/// Starts and ends MPI (thread level FUNNELED). Exactly one per process, first in main().
class Environment {
 public:
  Environment(int& argc, char**& argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
};

/// Owns a duplicate of a communicator. MPI failures abort the job (MPI_ERRORS_ARE_FATAL).
/// Every member that communicates is collective over all ranks of the communicator.
class Communicator {
 public:
  /// A duplicate of MPI_COMM_WORLD. \collective yes
  static Communicator world();
  /// This rank alone: a collective function run without the others. \collective no
  static Communicator self();
  /// Ranks of this communicator that share this rank's memory (its host). \collective yes
  Communicator split_by_host() const;
  /// Another duplicate, so that a module's traffic cannot meet another's. \collective yes
  Communicator duplicate() const;

  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&& other) noexcept;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator();

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  MPI_Comm handle() const { return handle_; }

  void barrier() const;
  /// A barrier that gives up: true once every rank has called it, false if some rank has not within
  /// `patience`. After false the communicator is of no further use, and the job must be stopped.
  bool all_arrive_within(std::chrono::milliseconds patience) const;
  int max(int value) const;
  std::int64_t max(std::int64_t value) const;
  std::int64_t sum(std::int64_t value) const;
  bool any(bool value) const { return max(value ? 1 : 0) != 0; }

  /// Integer sums over ranks, in place: exact, hence independent of the order. Any length.
  void sum(std::span<std::int64_t> values) const;

  /// From one rank to another, which must receive() them; the length travels first. Any length.
  /// \collective no
  template <typename T>
  void send(const std::vector<T>& values, int to) const;
  template <typename T>
  void receive(std::vector<T>& values, int from) const;

  /// Root's bytes on every rank; the length travels first. Any length.
  void broadcast(std::string& text, int root = 0) const;

  /// Root's elements on every rank; the length travels first. Any length.
  template <typename T>
  void broadcast(std::vector<T>& values, int root = 0) const;

  template <typename T>
  void broadcast_value(T& value, int root = 0) const;

  /// Root's strings on every rank.
  void broadcast(std::vector<std::string>& texts, int root = 0) const;

  /// Every rank's elements, concatenated in rank order, on every rank. The lengths travel first.
  template <typename T>
  std::vector<T> all_gather(const std::vector<T>& mine) const;

  /// The same, one vector per rank.
  template <typename T>
  std::vector<std::vector<T>> all_gather_by_rank(const std::vector<T>& mine) const;

  /// Number of distinct hosts.
  int host_count() const;
  /// This rank's place among the ranks of its host, from 0. \collective yes
  int local_rank() const;

 private:
  explicit Communicator(MPI_Comm owned);
  void broadcast_bytes(void* data, std::size_t bytes, int root) const;
  void send_bytes(const void* data, std::size_t bytes, int to) const;
  void receive_bytes(void* data, std::size_t bytes, int from) const;
  std::vector<char> all_gather_bytes(const void* data, std::size_t bytes) const;

  MPI_Comm handle_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
};

/// A count as MPI's int. \throws Error (Internal) above 2^31 - 1
int checked_count(std::size_t count);

/// Stops the whole job with this exit code, at once: the last resort of main().
[[noreturn]] void abort_job(int code);

template <typename T>
void Communicator::broadcast(std::vector<T>& values, int root) const {
  static_assert(std::is_trivially_copyable_v<T>);
  fault::point("broadcast");
  auto count = static_cast<std::uint64_t>(values.size());
  broadcast_bytes(&count, sizeof count, root);
  values.resize(count);
  broadcast_bytes(values.data(), count * sizeof(T), root);
}

template <typename T>
void Communicator::send(const std::vector<T>& values, int to) const {
  static_assert(std::is_trivially_copyable_v<T>);
  fault::point("send");
  const auto count = static_cast<std::uint64_t>(values.size());
  send_bytes(&count, sizeof count, to);
  send_bytes(values.data(), count * sizeof(T), to);
}

template <typename T>
void Communicator::receive(std::vector<T>& values, int from) const {
  static_assert(std::is_trivially_copyable_v<T>);
  fault::point("receive");
  std::uint64_t count = 0;
  receive_bytes(&count, sizeof count, from);
  values.resize(count);
  receive_bytes(values.data(), count * sizeof(T), from);
}

template <typename T>
void Communicator::broadcast_value(T& value, int root) const {
  static_assert(std::is_trivially_copyable_v<T>);
  fault::point("broadcast");
  broadcast_bytes(&value, sizeof value, root);
}

template <typename T>
std::vector<T> Communicator::all_gather(const std::vector<T>& mine) const {
  static_assert(std::is_trivially_copyable_v<T>);
  const std::vector<char> bytes = all_gather_bytes(mine.data(), mine.size() * sizeof(T));
  std::vector<T> all(bytes.size() / sizeof(T));
  if (!all.empty()) std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(all.data()));
  return all;
}

template <typename T>
std::vector<std::vector<T>> Communicator::all_gather_by_rank(const std::vector<T>& mine) const {
  const std::vector<T> all = all_gather(mine);
  std::vector<std::vector<T>> by_rank;
  auto next = all.begin();
  for (const std::size_t count : all_gather(std::vector{mine.size()})) {
    by_rank.emplace_back(next, next + static_cast<std::ptrdiff_t>(count));
    next += static_cast<std::ptrdiff_t>(count);
  }
  return by_rank;
}

}  // namespace regulus::comm
