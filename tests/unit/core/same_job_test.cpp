#include "regulus/core/same_job.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/expect_error.h"

namespace {

using namespace regulus;
using nlohmann::json;

TEST(SameJob, EqualJobsHaveNoDifference) {
  EXPECT_FALSE(first_difference(json::object(), json::object()));
  const json job = {{"grid", {0.5, 1.0}}, {"inputs", {{"genes", "ab"}}}};
  EXPECT_FALSE(first_difference(job, job));
  require_same_job(job, job, "file");
}

TEST(SameJob, NumbersAreEqualByValue) {
  EXPECT_FALSE(first_difference({{"seed", 2}}, {{"seed", 2.0}}));
  EXPECT_TRUE(first_difference({{"seed", 2}}, {{"seed", "2"}}));
}

TEST(SameJob, TheFirstByNameIsTold) {
  const auto difference = first_difference({{"a", 1}, {"b", 2}, {"c", 3}}, {{"a", 1}, {"c", 5}, {"b", 4}});
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->name, "b");
  EXPECT_EQ(difference->saved, "2");
  EXPECT_EQ(difference->wanted, "4");
}

TEST(SameJob, AnEntryOfOneAloneIsADifference) {
  const auto added = first_difference({{"a", 1}}, {{"a", 1}, {"b", nullptr}});
  ASSERT_TRUE(added);
  EXPECT_EQ(added->saved, "nothing");
  EXPECT_EQ(added->wanted, "null");
  const auto gone = first_difference({{"a", 1}, {"b", 2}}, {{"a", 1}});
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->name, "b");
  EXPECT_EQ(gone->wanted, "nothing");
}

TEST(SameJob, AnObjectNamesTheEntryInside) {
  const auto difference = first_difference({{"inputs", {{"genes", "ab"}, {"model", "m"}}}},
                                           {{"inputs", {{"genes", "cd"}, {"model", "m"}}}});
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->name, "inputs.genes");
  EXPECT_EQ(difference->saved, "\"ab\"");
}

TEST(SameJob, LongValuesAreCut) {
  const auto difference = first_difference({{"a", std::string(100000, 'x')}}, {{"a", json::array()}});
  ASSERT_TRUE(difference);
  EXPECT_LT(difference->saved.size(), 200U);
  EXPECT_TRUE(difference->saved.ends_with("..."));
}

TEST(SameJob, ADifferenceIsAnOptionErrorWithBothValues) {
  const auto text = test::error_of(ErrorKind::Options, [] {
    require_same_job({{"cells", 16}}, {{"cells", 64}}, "features.h5");
  });
  test::expect_mentions(text, "--cells", "64 differs from 16", "features.h5", "--overwrite");
}

}  // namespace
