#include "regulus/core/stop_signal.h"

#include <gtest/gtest.h>

#include <csignal>

namespace regulus {
namespace {

int earlier_handler_calls = 0;
extern "C" void earlier_handler(int /*signal*/) {
  ++earlier_handler_calls;
}

TEST(StopSignal, NotesTermAndUsr1AndStartsUnset) {
  for (const int signal : {SIGTERM, SIGUSR1}) {
    const StopSignal stop;
    EXPECT_FALSE(stop.received());
    std::raise(signal);
    EXPECT_TRUE(stop.received());
  }
}

TEST(StopSignal, GivesTheEarlierHandlerBack) {
  std::signal(SIGUSR1, earlier_handler);
  {
    const StopSignal stop;
    std::raise(SIGUSR1);
    EXPECT_EQ(earlier_handler_calls, 0);
  }
  std::raise(SIGUSR1);
  EXPECT_EQ(earlier_handler_calls, 1);
  std::signal(SIGUSR1, SIG_DFL);
}

}  // namespace
}  // namespace regulus
