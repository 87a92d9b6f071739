#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <vector>

#include "backbone/attention_kernel.h"

namespace regulus::test {

/// Calls visit() once for each instruction set that the kernels are compiled for and this machine has.
template <typename Visit>
void for_each_instruction_set(Visit visit) {
  const std::vector<std::int64_t> targets = backbone::attention_targets();
  ASSERT_FALSE(targets.empty());
  for (const std::int64_t target : targets) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    visit();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace regulus::test
