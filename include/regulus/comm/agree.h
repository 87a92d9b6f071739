#pragma once

#include <exception>
#include <functional>
#include <utility>

#include "regulus/comm/communicator.h"

namespace regulus::comm {

namespace detail {
/// Every rank learns the error of the lowest failed rank, or that none failed.
/// \throws on every rank, the same Error, if any rank passed a failure \collective yes
void settle(const Communicator& comm, const char* phase, const std::exception_ptr& failure);
}  // namespace detail

/// Runs local (non-collective) work and agrees on its outcome: if it threw on any rank, every rank throws the
/// error of the lowest failed rank, so that no rank goes on into a collective that the others never reach.
/// \param phase what was being done, for errors that are not ours ("reading expression")
/// \param work  must not communicate \collective yes, one reduction of an integer when nothing failed
template <typename Work>
auto agree(const Communicator& comm, const char* phase, Work&& work) -> decltype(work()) {
  std::exception_ptr failure;
  if constexpr (std::is_void_v<decltype(work())>) {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    detail::settle(comm, phase, failure);
  } else {
    decltype(work()) result{};
    try {
      result = work();
    } catch (...) {
      failure = std::current_exception();
    }
    detail::settle(comm, phase, failure);
    return result;
  }
}

/// agree() for work of rank 0 alone (reading a small file …); the others wait for its outcome. \collective
/// yes
template <typename Work>
void agree_on_root(const Communicator& comm, const char* phase, Work&& work) {
  agree(comm, phase, [&] {
    if (comm.is_root()) work();
  });
}

}  // namespace regulus::comm
