#include "regulus/core/error.h"

#include <gtest/gtest.h>

#include "regulus/core/sha256.h"

namespace {

using namespace regulus;

TEST(Error, CarriesPlaceAndRemedyInOneLine) {
  const InputError error("has no rows", "cells.csv", "check the export");
  EXPECT_STREQ(error.what(), "cells.csv: has no rows (check the export)");
}

TEST(Error, KindsHaveTheDocumentedExitCodes) {
  EXPECT_EQ(exit_code(OptionError("x").kind()), 2);
  EXPECT_EQ(exit_code(InputError("x").kind()), 3);
  EXPECT_EQ(exit_code(ModelError("x").kind()), 4);
  EXPECT_EQ(exit_code(StorageError("x").kind()), 5);
  EXPECT_EQ(exit_code(Interrupted("x").kind()), 75);
}

TEST(Sha256, MatchesTheStandardsExample) {
  EXPECT_EQ(sha256("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, OfAMissingFileIsAnInputError) {
  EXPECT_THROW(sha256_file("no/such/file"), InputError);
}

}  // namespace
