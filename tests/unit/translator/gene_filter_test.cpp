#include "regulus/translator/gene_filter.h"

#include <gtest/gtest.h>

namespace regulus::translator {
namespace {

TEST(GeneFilter, AdmitsEveryGeneByDefault) {
  EXPECT_TRUE(GeneFilter().admits("Gata1"));
}

TEST(GeneFilter, ComparesNamesWithoutCase) {
  const GeneFilter only = GeneFilter::only({"Gata1"});
  EXPECT_TRUE(only.admits("GATA1"));
  EXPECT_FALSE(only.admits("GATA2"));
  const GeneFilter all_but = GeneFilter::all_but({"Gata1"});
  EXPECT_FALSE(all_but.admits("gata1"));
  EXPECT_TRUE(all_but.admits("GATA2"));
}

TEST(GeneFilter, EmptyListsMeanNothingAndEverything) {
  EXPECT_FALSE(GeneFilter::only({}).admits("GATA1"));
  EXPECT_TRUE(GeneFilter::all_but({}).admits("GATA1"));
}

}  // namespace
}  // namespace regulus::translator
