#include "regulus/core/fault.h"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sstream>

#include "regulus/core/error.h"

namespace regulus::fault {

namespace {

constexpr const char* kVariable = "REGULUS_FAULT";

[[noreturn]] void refuse(const std::string& what) {
  throw OptionError(
      what, kVariable,
      "write rank=N,point=NAME,hit=N,action=throw|bad_alloc|kill|abort|stop|report, or unset it");
}

std::int64_t parse_count(const std::string& key, const std::string& text, std::int64_t least) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < least || value > INT32_MAX)
    refuse("'" + text + "' is no " + key);
  return value;
}

Action parse_action(const std::string& text) {
  static const std::map<std::string, Action> kActions{
      {"throw", Action::Throw}, {"bad_alloc", Action::BadAlloc}, {"kill", Action::Kill},
      {"abort", Action::Abort}, {"stop", Action::Stop},          {"report", Action::Report}};
  const auto found = kActions.find(text);
  if (found == kActions.end()) refuse("unknown action '" + text + "'");
  return found->second;
}

void set(Plan& plan, const std::string& key, const std::string& value) {
  if (key == "rank")
    plan.rank = static_cast<int>(parse_count(key, value, 0));
  else if (key == "point" && !value.empty())
    plan.point = value;
  else if (key == "hit")
    plan.hit = parse_count(key, value, 1);
  else if (key == "action")
    plan.action = parse_action(value);
  else
    refuse("cannot read '" + key + "=" + value + "'");
}

/// Of the process; made by start() and never destroyed, so that the report at exit may use it.
Counter* counter = nullptr;
int rank_of_process = 0;

void print_report() {
  std::fprintf(stderr, "regulus-fault rank=%d %s\n", rank_of_process, counter->report().c_str());
}

void happen(const std::string& name) {
  switch (counter->plan().action) {
    case Action::Throw:
      throw Error(ErrorKind::Internal, "a fault was asked for by REGULUS_FAULT", "point " + name);
    case Action::BadAlloc:
      throw std::bad_alloc();
    case Action::Kill:
      std::raise(SIGKILL);
      break;
    case Action::Abort:
      std::abort();
    case Action::Stop:
      std::raise(SIGUSR1);
      break;
    case Action::Report:
      break;
  }
}

}  // namespace

Plan parse(const std::string& text) {
  Plan plan;
  bool has_action = false;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) refuse("cannot read '" + part + "'");
    const std::string key = part.substr(0, equals);
    has_action = has_action || key == "action";
    set(plan, key, part.substr(equals + 1));
  }
  if (!has_action) refuse("no action is given");
  return plan;
}

bool Counter::due(const std::string& name) {
  ++total_;
  const std::int64_t passed = ++passed_[name];
  if (plan_.action == Action::Report) return false;
  return plan_.hit == (plan_.point == "any" ? total_ : plan_.point == name ? passed : 0);
}

std::string Counter::report() const {
  std::string text = "total=" + std::to_string(total_);
  for (const auto& [name, count] : passed_) text += " " + name + "=" + std::to_string(count);
  return text;
}

void start(int rank) {
  const char* text = std::getenv(kVariable);
  if (text == nullptr) return;
  const Plan plan = parse(text);
  if (plan.rank.value_or(rank) != rank) return;
  counter = new Counter(plan);
  rank_of_process = rank;
  detail::active = true;
  if (plan.action == Action::Report) std::atexit(print_report);
}

namespace detail {

bool active = false;

void pass(const char* name) {
  if (counter->due(name)) happen(name);
}

}  // namespace detail

}  // namespace regulus::fault
