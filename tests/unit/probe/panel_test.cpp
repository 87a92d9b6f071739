#include "regulus/probe/panel.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "regulus/core/error.h"
#include "regulus/data/h5ad.h"
#include "regulus/probe/grid.h"
#include "support/temp_folder.h"

namespace {

using namespace regulus;

const data::Vocabulary& vocabulary() {
  static const data::Vocabulary tokens({"STAT1", "IRF1", "GATA1", "<pad>"});
  return tokens;
}

probe::GeneNames names() {
  return {vocabulary(), {}};
}

/// Three cells of two known genes and one unknown.
class Cells : public ::testing::Test {
 protected:
  Cells() {
    data::Expression cells;
    cells.genes = {"Irf1", "UNKNOWN", "STAT1"};
    cells.cells = {"a", "b", "c"};
    cells.row_begin = {0, 2, 3, 3};
    cells.column = {0, 2, 2};
    cells.value = {3.0F, 1.0F, 2.0F};
    data::write_h5ad(folder_ / "x.h5ad", cells, {});
    reader_ = std::make_shared<const data::CellReader>(folder_ / "x.h5ad");
  }

  test::TempFolder folder_;
  std::shared_ptr<const data::CellReader> reader_;
};

TEST(Panel, FindsGenesExactlyThenInUpperCaseAndReportsTheRest) {
  probe::ProbeJob job;
  const auto report = probe::set_panel(job, names(), {"Irf1", "UNKNOWN", "STAT1"}, {"IRF1", "Nothing"});
  EXPECT_EQ(job.genes, (std::vector<std::string>{"Irf1", "STAT1"}));
  EXPECT_EQ(job.gene_ids, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(report.genes.missing, std::vector<std::string>{"UNKNOWN"});
  EXPECT_EQ(report.unknown_sources, std::vector<std::string>{"Nothing"});
}

TEST(Panel, SourcesAreMembersOfThePanelOnceEach) {
  probe::ProbeJob job;
  const auto report = probe::set_panel(job, names(), {"STAT1", "IRF1"}, {"IRF1", "irf1", "GATA1"});
  EXPECT_EQ(job.sources, std::vector<std::int64_t>{1});
  EXPECT_EQ(report.unknown_sources, std::vector<std::string>{"GATA1"});
}

TEST(Panel, AliasesConnectGenesAndSources) {
  probe::GeneNames aliased = names();
  aliased.aliases.add("ISGF3", "STAT1");
  aliased.aliases.add("P91", "STAT1");
  probe::ProbeJob job;
  probe::set_panel(job, aliased, {"IRF1", "ISGF3"}, {"P91"});
  EXPECT_EQ(job.genes, (std::vector<std::string>{"IRF1", "ISGF3"}));
  EXPECT_EQ(job.gene_ids, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(job.sources, std::vector<std::int64_t>{1});
}

TEST(Panel, WithoutASourceListEveryGeneIsASource) {
  probe::ProbeJob job;
  probe::set_panel(job, names(), {"STAT1", "IRF1"}, {});
  EXPECT_EQ(job.sources, (std::vector<std::int64_t>{0, 1}));
}

TEST(Panel, NothingInCommonIsAnInputError) {
  probe::ProbeJob job;
  EXPECT_THROW(probe::set_panel(job, names(), {"ENSG1"}, {}), InputError);
  probe::ProbeJob other;
  EXPECT_THROW(probe::set_panel(other, names(), {"IRF1"}, {"GATA1"}), InputError);
}

TEST_F(Cells, FollowThePanelsOrder) {
  probe::ProbeJob job;
  probe::set_panel(job, names(), {"STAT1", "Irf1"}, {});
  const auto columns = probe::columns_of_panel(job, names(), *reader_);
  const probe::CellRows rows(reader_, {2, 0}, columns, {});
  ASSERT_EQ(rows.count(), 2);
  EXPECT_EQ(rows.read(0, 2), (std::vector<float>{0.0F, 0.0F, 1.0F, 3.0F}));
  EXPECT_EQ(rows.read(1, 2), (std::vector<float>{1.0F, 3.0F}));
}

TEST_F(Cells, AreBinnedByAllTheirGenes) {
  probe::ProbeJob job;
  probe::set_panel(job, names(), {"Irf1"}, {});
  const probe::CellRows rows(reader_, {0}, probe::columns_of_panel(job, names(), *reader_), {.bins = 5});
  EXPECT_EQ(rows.read(0, 1), std::vector<float>{4.0F});  // the larger of the cell's two values: the top bin
}

TEST_F(Cells, PanelGeneWithoutExpressionIsAnInputError) {
  probe::ProbeJob job;
  probe::set_panel(job, names(), {"GATA1"}, {});
  EXPECT_THROW(probe::columns_of_panel(job, names(), *reader_), InputError);
}

TEST(SampleCells, FewerCellsArePartOfMoreAndComeFromThePool) {
  const std::vector<std::int64_t> pool{3, 5, 8, 13, 21};
  const auto two = probe::sample_cells(pool, 2, 1);
  const auto four = probe::sample_cells(pool, 4, 1);
  EXPECT_EQ(two.size(), 2U);
  EXPECT_TRUE(std::includes(four.begin(), four.end(), two.begin(), two.end()));
  EXPECT_EQ(probe::sample_cells(pool, 10, 1), pool);
}

TEST(Grid, CountsAreEvenOverTheRange) {
  EXPECT_EQ(probe::parse_grid("4", 8.0, "--grid"), (std::vector<double>{2.0, 4.0, 6.0, 8.0}));
  EXPECT_EQ(probe::parse_grid("0.5,1,2", 0.0, "--grid"), (std::vector<double>{0.5, 1.0, 2.0}));
}

TEST(Grid, NonsenseIsAnOptionError) {
  for (const char* text : {"", "0", "a", "1,,2", "1,nan", "1e999", "99999999999"})
    EXPECT_THROW(probe::parse_grid(text, 8.0, "--grid"), OptionError) << text;
  EXPECT_THROW(probe::parse_grid("8", 0.0, "--grid"), OptionError);
}

}  // namespace
