#include "regulus/probe/panel.h"

#include <gtest/gtest.h>

#include "regulus/core/error.h"
#include "regulus/probe/grid.h"

namespace {

using namespace regulus;

data::Vocabulary vocabulary() {
  return data::Vocabulary({"STAT1", "IRF1", "GATA1", "<pad>"});
}

/// Three cells of two known genes and one unknown.
data::Expression expression() {
  data::Expression cells;
  cells.genes = {"Irf1", "UNKNOWN", "STAT1"};
  cells.cells = {"a", "b", "c"};
  cells.row_begin = {0, 2, 3, 3};
  cells.column = {0, 2, 2};
  cells.value = {3.0F, 1.0F, 2.0F};
  return cells;
}

TEST(Panel, FindsGenesExactlyThenInUpperCaseAndReportsTheRest) {
  probe::ProbeJob job;
  const auto report = probe::set_panel(job, vocabulary(), {"Irf1", "UNKNOWN", "STAT1"}, {"IRF1", "Nothing"});
  EXPECT_EQ(job.genes, (std::vector<std::string>{"Irf1", "STAT1"}));
  EXPECT_EQ(job.gene_ids, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(report.unknown_genes, std::vector<std::string>{"UNKNOWN"});
}

TEST(Panel, SourcesAreMembersOfThePanelOnceEach) {
  probe::ProbeJob job;
  const auto report = probe::set_panel(job, vocabulary(), {"STAT1", "IRF1"}, {"IRF1", "irf1", "GATA1"});
  EXPECT_EQ(job.sources, std::vector<std::int64_t>{1});
  EXPECT_EQ(report.unknown_sources, std::vector<std::string>{"GATA1"});
}

TEST(Panel, WithoutASourceListEveryGeneIsASource) {
  probe::ProbeJob job;
  probe::set_panel(job, vocabulary(), {"STAT1", "IRF1"}, {});
  EXPECT_EQ(job.sources, (std::vector<std::int64_t>{0, 1}));
}

TEST(Panel, NothingInCommonIsAnInputError) {
  probe::ProbeJob job;
  EXPECT_THROW(probe::set_panel(job, vocabulary(), {"ENSG1"}, {}), InputError);
  probe::ProbeJob other;
  EXPECT_THROW(probe::set_panel(other, vocabulary(), {"IRF1"}, {"GATA1"}), InputError);
}

TEST(Backgrounds, MeanAndCellsFollowThePanelsOrder) {
  probe::ProbeJob job;
  probe::set_panel(job, vocabulary(), {"STAT1", "Irf1"}, {});
  EXPECT_EQ(probe::mean_background(job, expression()).values, (std::vector<float>{1.0F, 1.0F}));
  const auto cells = probe::sample_cells(job, expression(), 10, 1);
  ASSERT_EQ(cells.rows(), 3);
  float total = 0.0F;
  for (std::int64_t c = 0; c < 3; ++c) total += cells.row(c)[0] + 10.0F * cells.row(c)[1];
  EXPECT_EQ(total, 33.0F);
}

TEST(Backgrounds, FewerCellsAreThePrefixOfMore) {
  probe::ProbeJob job;
  probe::set_panel(job, vocabulary(), {"STAT1", "Irf1"}, {});
  const auto two = probe::sample_cells(job, expression(), 2, 1);
  const auto three = probe::sample_cells(job, expression(), 3, 1);
  EXPECT_TRUE(std::equal(two.values.begin(), two.values.end(), three.values.begin()));
}

TEST(Backgrounds, PanelGeneWithoutExpressionIsAnInputError) {
  probe::ProbeJob job;
  probe::set_panel(job, vocabulary(), {"GATA1"}, {});
  EXPECT_THROW(probe::mean_background(job, expression()), InputError);
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
