#include "regulus/data/mapping_report.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using Names = std::vector<std::string>;

class MappingReport : public ::testing::Test {
 protected:
  MappingReport() {
    aliases_.add("p53", "TP53");
    aliases_.add("x", "A1");
    aliases_.add("x", "B1");
    mapping_ = map_genes(vocabulary_, genes_, aliases_);
  }

  const Vocabulary vocabulary_{{"<pad>", "SOX2", "TP53", "A1", "B1", "ENSG00000000001"}};
  const Names genes_ = {"p53", "Sox2", "SOX2", "none", "x", "ENSG00000000001.3", "t\tn\n"};
  AliasTable aliases_;
  GeneMapping mapping_;
};

TEST_F(MappingReport, TheTableHasALineForEveryGene) {
  EXPECT_EQ(mapping_table(mapping_, genes_, vocabulary_),
            "gene\tstatus\ttoken\tdetail\n"
            "p53\talias\tTP53\t\n"
            "Sox2\tduplicate\t\tSOX2 is taken by SOX2\n"
            "SOX2\texact\tSOX2\t\n"
            "none\tmissing\t\t\n"
            "x\tambiguous\t\tA1, B1\n"
            "ENSG00000000001.3\tensembl\tENSG00000000001\t\n"
            "t\\tn\\n\tmissing\t\t\n");
  EXPECT_THROW(mapping_table(mapping_, {"SOX2"}, vocabulary_), Error);
}

TEST_F(MappingReport, TheSummaryLeavesOutWhatDidNotHappen) {
  EXPECT_EQ(mapping_summary(mapping_),
            "3 of 7 genes mapped (1 exact, 1 by Ensembl id, 1 alias); 2 missing, 1 ambiguous, 1 duplicate");
  EXPECT_EQ(mapping_summary(map_genes(vocabulary_, {"SOX2", "tp53"})),
            "2 of 2 genes mapped (1 exact, 1 upper case)");
  EXPECT_EQ(mapping_summary(map_genes(vocabulary_, {"none"})), "0 of 1 genes mapped; 1 missing");
}

TEST(MappingSummary, GroupsDigits) {
  Names tokens;
  for (int i = 0; i < 1000; ++i) tokens.push_back("G" + std::to_string(i));
  Names genes = tokens;
  genes.insert(genes.end(), tokens.begin(), tokens.end());
  EXPECT_EQ(mapping_summary(map_genes(Vocabulary(tokens), genes)),
            "1,000 of 2,000 genes mapped (1,000 exact); 1,000 duplicates");
  GeneMapping mapping;
  mapping.matches.resize(1234567);
  EXPECT_EQ(mapping_summary(mapping), "0 of 1,234,567 genes mapped; 1,234,567 missing");
}

TEST_F(MappingReport, TooFewHitsAreAnErrorWithExamplesOfBothSides) {
  EXPECT_NO_THROW(require_hits(mapping_, vocabulary_, 3.0 / 7.0, "genes.txt"));
  const std::string error =
      error_of(ErrorKind::Input, [&] { require_hits(mapping_, vocabulary_, 0.5, "genes.txt"); });
  expect_mentions(error, "genes.txt", "3 of 7 genes", "42.9 %", "50.0 %", "Sox2, none, x, t",
                  "SOX2, TP53, A1, B1, ENSG00000000001", "species", "--aliases", "--min-mapped");
  EXPECT_EQ(error.find("<pad>"), std::string::npos);
}

TEST_F(MappingReport, OneGeneMustBeFoundInAnyCase) {
  const Names unknown = {"u1", "u2", "u3", "u4", "u5", "u6"};
  const std::string error = error_of(
      ErrorKind::Input, [&] { require_hits(map_genes(vocabulary_, unknown), vocabulary_, 0.0, "--genes"); });
  expect_mentions(error, "none of the 6 genes", "u1, u2, u3, u4, u5.");
  expect_mentions(error_of(ErrorKind::Input, [&] { require_hits({}, vocabulary_, 0.0, "--genes"); }),
                  "no genes were asked for");
}

}  // namespace
}  // namespace regulus::data
