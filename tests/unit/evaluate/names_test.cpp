#include "regulus/evaluate/names.h"

#include <gtest/gtest.h>

namespace regulus::evaluate {
namespace {

TEST(Names, AreFileNamesWithoutFolderAndSuffix) {
  EXPECT_EQ(distinct_names({"a/b/mDC.h5", "STRING.csv.gz"}), (std::vector<std::string>{"mDC", "STRING"}));
}

TEST(Names, ThatCollideTakeTheirFolder) {
  EXPECT_EQ(distinct_names({"out/GENIE3/rankedEdges.csv", "out/PIDC/rankedEdges.csv", "out/PPCOR/edges.csv"}),
            (std::vector<std::string>{"GENIE3/rankedEdges", "PIDC/rankedEdges", "edges"}));
}

}  // namespace
}  // namespace regulus::evaluate
