#include "regulus/core/fault.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "regulus/core/error.h"
#include "support/expect_error.h"

namespace regulus::fault {
namespace {

TEST(FaultPlan, ReadsEveryKey) {
  const Plan plan = parse("rank=1,point=broadcast,hit=17,action=kill");
  EXPECT_EQ(plan.rank, 1);
  EXPECT_EQ(plan.point, "broadcast");
  EXPECT_EQ(plan.hit, 17);
  EXPECT_EQ(plan.action, Action::Kill);
}

TEST(FaultPlan, MeansTheFirstPointOfEveryRankUnlessTold) {
  const Plan plan = parse("action=report");
  EXPECT_FALSE(plan.rank.has_value());
  EXPECT_EQ(plan.point, "any");
  EXPECT_EQ(plan.hit, 1);
  EXPECT_EQ(plan.action, Action::Report);
}

TEST(FaultPlan, KnowsEveryAction) {
  EXPECT_EQ(parse("action=throw").action, Action::Throw);
  EXPECT_EQ(parse("action=bad_alloc").action, Action::BadAlloc);
  EXPECT_EQ(parse("action=abort").action, Action::Abort);
  EXPECT_EQ(parse("action=stop").action, Action::Stop);
}

class BadPlan : public ::testing::TestWithParam<const char*> {};

TEST_P(BadPlan, IsAnOptionErrorThatNamesTheVariable) {
  test::expect_mentions(test::error_of(ErrorKind::Options, [] { parse(GetParam()); }), "REGULUS_FAULT",
                        "action=throw");
}

INSTANTIATE_TEST_SUITE_P(Cases, BadPlan,
                         ::testing::Values("", "kill", "action=", "action=explode", "rank=1",
                                           "rank=-1,action=kill", "rank=x,action=kill", "hit=0,action=kill",
                                           "hit=1x,action=kill", "hit=99999999999,action=kill",
                                           "point=,action=kill", "colour=red,action=kill",
                                           "action=kill,,hit=2"));

TEST(FaultCounter, CountsOverAllNamesForAny) {
  Counter counter(parse("hit=3,action=throw"));
  EXPECT_FALSE(counter.due("max"));
  EXPECT_FALSE(counter.due("sum"));
  EXPECT_TRUE(counter.due("max"));
  EXPECT_FALSE(counter.due("max"));
}

TEST(FaultCounter, CountsOneNameWhereItIsGiven) {
  Counter counter(parse("point=max,hit=2,action=throw"));
  EXPECT_FALSE(counter.due("max"));
  EXPECT_FALSE(counter.due("sum"));
  EXPECT_FALSE(counter.due("maximum"));
  EXPECT_TRUE(counter.due("max"));
  EXPECT_FALSE(counter.due("max"));
}

TEST(FaultCounter, ReportsWhatWasPassedAndLetsItPass) {
  Counter counter(parse("action=report"));
  for (const char* name : {"sum", "max", "sum"}) EXPECT_FALSE(counter.due(name));
  EXPECT_EQ(counter.report(), "total=3 max=1 sum=2");
}

/// The process-wide plan, in a child process: it can be started only once.
int exit_of(const char* plan, int rank, int signal) {
  setenv("REGULUS_FAULT", plan, 1);
  start(rank);
  unsetenv("REGULUS_FAULT");
  if (signal != 0) {
    point("first");
    point("second");
    return 0;
  }
  try {
    point("first");
    point("second");
  } catch (const Error& error) {
    return error.kind() == ErrorKind::Internal ? 10 : 11;
  } catch (const std::bad_alloc&) {
    return 12;
  }
  return 0;
}

void run(const char* plan, int rank = 0, int signal = 0) {
  std::_Exit(exit_of(plan, rank, signal));
}

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

TEST(FaultDeathTest, WhatIsAskedForHappens) {
  EXPECT_EXIT(run("hit=2,action=throw"), ExitedWithCode(10), "");
  EXPECT_EXIT(run("point=second,action=bad_alloc"), ExitedWithCode(12), "");
  EXPECT_EXIT(run("action=kill", 0, SIGKILL), KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(run("action=abort", 0, SIGABRT), KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(run("action=stop", 0, SIGUSR1), KilledBySignal(SIGUSR1), "");
}

TEST(FaultDeathTest, OtherRanksAndLaterHitsAreLeftAlone) {
  EXPECT_EXIT(run("rank=1,action=throw", 0), ExitedWithCode(0), "");
  EXPECT_EXIT(run("rank=1,action=throw", 1), ExitedWithCode(10), "");
  EXPECT_EXIT(run("hit=3,action=throw"), ExitedWithCode(0), "");
}

TEST(FaultDeathTest, ReportIsOneLineAtExit) {
  EXPECT_EXIT(std::exit(exit_of("action=report", 3, 1)), ExitedWithCode(0),
              "^regulus-fault rank=3 total=2 first=1 second=1\n$");
}

TEST(Fault, PointsAreWithoutEffectByDefault) {
  for (int i = 0; i < 3; ++i) point("any");
}

}  // namespace
}  // namespace regulus::fault
