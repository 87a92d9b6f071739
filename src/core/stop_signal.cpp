#include "regulus/core/stop_signal.h"

#include <array>
#include <atomic>
#include <csignal>

namespace regulus {

namespace {

constexpr std::array kSignals{SIGTERM, SIGUSR1};

std::atomic<bool> stop_received{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

std::array<struct sigaction, kSignals.size()> previous_actions;

extern "C" void note_stop(int /*signal*/) {
  stop_received.store(true);
}

}  // namespace

StopSignal::StopSignal() {
  stop_received.store(false);
  struct sigaction action {};
  action.sa_handler = note_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &previous_actions[i]);
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &previous_actions[i], nullptr);
}

bool StopSignal::received() const {
  return stop_received.load();
}

}  // namespace regulus
