#include "regulus/pretrain/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace regulus::pretrain {
namespace {

const Schedule kSchedule{.peak = 2.0, .floor_share = 0.1, .warmup_steps = 4, .steps = 105};

TEST(Schedule, WarmsUpLinearlyFromOneShareToThePeak) {
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 0), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 1), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 3), 2.0);
}

TEST(Schedule, FollowsHalfACosineToTheFloor) {
  EXPECT_DOUBLE_EQ(learning_rate(kSchedule, 4), 2.0);                            // p = 0
  EXPECT_NEAR(learning_rate(kSchedule, 54), 1.1, 1e-12);                         // p = 1/2: the middle
  EXPECT_NEAR(learning_rate(kSchedule, 29), 1.1 + 0.9 / std::sqrt(2.0), 1e-12);  // p = 1/4
  EXPECT_NEAR(learning_rate(kSchedule, 104), 0.2, 1e-12);                        // p = 1
}

TEST(Schedule, StaysAtTheFloorPastTheEnd) {
  EXPECT_NEAR(learning_rate(kSchedule, 1000), 0.2, 1e-12);
}

TEST(Schedule, WithoutWarmUpStartsAtThePeak) {
  EXPECT_DOUBLE_EQ(learning_rate({.peak = 3.0, .floor_share = 0.0, .warmup_steps = 0, .steps = 1}, 0), 3.0);
}

}  // namespace
}  // namespace regulus::pretrain
