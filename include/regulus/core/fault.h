#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

/// Faults on demand, for tests of what a job does when one of its processes fails. The program has named
/// points where a fault may be asked for by the environment variable REGULUS_FAULT:
///
///     rank=1,point=broadcast,hit=17,action=kill
///
/// rank    the process meant; without it every one
/// point   a name, or `any` (the default): passings are counted over all names
/// hit     the passing, from 1 (the default), at which it happens
/// action  throw (an internal Error), bad_alloc, kill (SIGKILL), abort (SIGABRT), stop (SIGUSR1 to itself),
/// or
///         report: no fault, but one line on stderr at exit, "regulus-fault rank=1 total=5 barrier=2 max=3"
namespace regulus::fault {

enum class Action { Throw, BadAlloc, Kill, Abort, Stop, Report };

struct Plan {
  std::optional<int> rank;
  std::string point = "any";
  std::int64_t hit = 1;
  Action action = Action::Report;
};

/// \throws OptionError naming REGULUS_FAULT
Plan parse(const std::string& text);

/// Counts the passings of points and says when the plan's moment has come.
class Counter {
 public:
  explicit Counter(Plan plan) : plan_(std::move(plan)) {}
  bool due(const std::string& name);  ///< counts one passing; true once at most
  std::string report() const;         ///< "total=5 barrier=2 max=3", names in order
  const Plan& plan() const { return plan_; }

 private:
  Plan plan_;
  std::int64_t total_ = 0;
  std::map<std::string, std::int64_t> passed_;
};

/// Reads REGULUS_FAULT; before it, and where the variable is unset or means another rank, points have no
/// effect. Once per process. \throws OptionError
void start(int rank);

namespace detail {
extern bool active;
void pass(const char* name);
}  // namespace detail

/// A place where a fault may be asked for. One thread only.
inline void point(const char* name) {
  if (detail::active) [[unlikely]]
    detail::pass(name);
}

}  // namespace regulus::fault
