#include "regulus/comm/agree.h"

#include <limits>
#include <new>
#include <string>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/core/fault.h"

namespace regulus::comm::detail {

namespace {

Error describe(const char* phase, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::Internal, "out of memory", phase,
                 "use more ranks on more hosts, or a smaller job");
  } catch (const std::exception& error) {
    return Error(ErrorKind::Internal, error.what(), phase);
  } catch (...) {
    return Error(ErrorKind::Internal, "unknown failure", phase);
  }
}

}  // namespace

void settle(const Communicator& comm, const char* phase, const std::exception_ptr& failure) {
  fault::point("agree");
  constexpr int kNone = std::numeric_limits<int>::min();
  const int worst = comm.max(failure ? -comm.rank() : kNone);
  if (worst == kNone) return;
  const int culprit = -worst;
  std::vector<std::string> texts;
  int kind = 0;
  if (comm.rank() == culprit) {
    const Error error = describe(phase, failure);
    texts = {error.message(), error.where(), error.hint()};
    kind = static_cast<int>(error.kind());
  }
  comm.broadcast(texts, culprit);
  comm.broadcast_value(kind, culprit);
  throw Error(static_cast<ErrorKind>(kind), texts[0], texts[1], texts[2]);
}

}  // namespace regulus::comm::detail
