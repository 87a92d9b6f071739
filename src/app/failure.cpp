#include "failure.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/core/log.h"

namespace regulus::app {

namespace {

/// How long a failed rank waits for the others to fail as well.
constexpr std::chrono::seconds kPatience{5};

/// LibTorch appends a stack trace to its messages.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// The failure as ours, without talking to other ranks.
Error describe(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::Internal, "out of memory", "", "use more ranks on more hosts, or a smaller job");
  } catch (const std::exception& error) {
    return Error(ErrorKind::Internal, error.what());
  }
}

[[noreturn]] void stop_job(const comm::Communicator& world, const std::exception_ptr& failure) {
  const Error error = describe(failure);
  log::failure(fmt::format("[r{}/{}] {}", world.rank(), world.size(), first_line(error.what())));
  comm::abort_job(exit_code(error.kind()));
}

/// Ends this process without MPI_Finalize. HDF5 1.10, once it failed to write a file, keeps broken handles on
/// which it crashes when MPI_Finalize makes it clean up. The barrier lets the message out before a rank is
/// seen to end.
[[noreturn]] void leave(const comm::Communicator& failed, int code) {
  std::fflush(nullptr);
  failed.barrier();
  std::_Exit(code);
}

int report_together(const comm::Communicator& failed, const std::exception_ptr& failure) {
  try {
    comm::agree(failed, "regulus", [&] { std::rethrow_exception(failure); });
  } catch (const Error& error) {
    if (failed.is_root()) log::failure(first_line(error.what()));
    if (error.kind() == ErrorKind::Storage) leave(failed, exit_code(error.kind()));
    return exit_code(error.kind());
  }
  return 0;
}

}  // namespace

int exit_code_of(const comm::Communicator& world, const std::function<void()>& work) {
  const comm::Communicator failed = world.duplicate();
  std::exception_ptr failure;
  try {
    work();
    return 0;
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failed.all_arrive_within(kPatience)) stop_job(world, failure);
  return report_together(failed, failure);
}

}  // namespace regulus::app
