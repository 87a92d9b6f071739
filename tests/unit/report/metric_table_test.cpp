#include "regulus/report/metric_table.h"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "regulus/report/csv.h"
#include "regulus/report/curve_table.h"

namespace regulus::report {
namespace {

using evaluate::MetricRow;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<MetricRow> rows() {
  return {{"gdt",
           "mDC",
           "STRING",
           "balanced",
           "unseen-datasets",
           200,
           100,
           {0.8125, {0.75, 0.875}},
           {1.625, {1.5, 1.75}},
           {0.7, {0.6, 0.8}},
           {1.5, {1.25, 2.0}}},
          {"random",
           "mDC",
           "STRING",
           "balanced",
           "unseen-datasets",
           200,
           100,
           {0.5, {kNaN, kNaN}},
           {1.0, {kNaN, kNaN}},
           {0.5, {kNaN, kNaN}},
           {1.0, {kNaN, kNaN}}},
          {"vvp, alone",
           "mDC",
           "Chip",
           "full",
           "unseen-datasets",
           50,
           5,
           {0.1, {kNaN, kNaN}},
           {1.0, {kNaN, kNaN}},
           {0.5, {kNaN, kNaN}},
           {1.0, {kNaN, kNaN}}}};
}

TEST(Csv, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\""), "\"say \"\"x\"\"\"");
}

TEST(Csv, NumbersReadBackExactly) {
  for (const double value : {0.1, 1.0 / 3.0, 1e-300, 123456789.123456789, -0.0})
    EXPECT_EQ(std::stod(csv_number(value)), value);
  EXPECT_EQ(csv_number(kNaN), "");
}

TEST(MetricsCsv, OneLinePerRow) {
  std::istringstream lines(metrics_csv(rows()));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line,
            "method,dataset,network,protocol,setting,pairs,positives,auprc,auprc_low,auprc_high,auprc_ratio,"
            "auprc_ratio_low,auprc_ratio_high,auroc,auroc_low,auroc_high,epr,epr_low,epr_high");
  std::getline(lines, line);
  EXPECT_EQ(line,
            "gdt,mDC,STRING,balanced,unseen-datasets,200,100,0.8125,0.75,0.875,1.625,1.5,1.75,0.7,0.6,0.8,1."
            "5,1.25,2");
  std::getline(lines, line);
  EXPECT_EQ(line, "random,mDC,STRING,balanced,unseen-datasets,200,100,0.5,,,1,,,0.5,,,1,,");
  std::getline(lines, line);
  EXPECT_EQ(line.substr(0, 18), "\"vvp, alone\",mDC,C");
}

TEST(MetricsJson, MissingIntervalsAreNull) {
  const auto json = metrics_json(rows());
  ASSERT_EQ(json.size(), 3U);
  EXPECT_EQ(json[0]["auprc"]["value"], 0.8125);
  EXPECT_EQ(json[0]["auprc"]["interval"], (std::vector<double>{0.75, 0.875}));
  EXPECT_EQ(json[0]["positives"], 100);
  EXPECT_TRUE(json[1]["epr"]["interval"].is_null());
}

TEST(MetricTable, IsAlignedInOneBlockPerSubject) {
  EXPECT_EQ(metric_table(rows()),
            "mDC × STRING · unseen-datasets · balanced · 200 pairs, 100 positive\n"
            "  method  AUPRC                 AUPRC/random       AUROC                 EPR\n"
            "  gdt     0.812 [0.750, 0.875]  1.62 [1.50, 1.75]  0.700 [0.600, 0.800]  1.50 [1.25, 2.00]\n"
            "  random  0.500                 1.00               0.500                 1.00\n"
            "\n"
            "mDC × Chip · unseen-datasets · full · 50 pairs, 5 positive\n"
            "  method      AUPRC  AUPRC/random  AUROC  EPR\n"
            "  vvp, alone  0.100  1.00          0.500  1.00\n");
}

TEST(CurvesCsv, OneLinePerPoint) {
  const evaluate::NamedCurve curve{
      {"mDC", "STRING", "full", "unseen-genes"}, "gdt", {{2.5, 0.25, 1, 0}, {-1, 1, 0.5, 1}}};
  EXPECT_EQ(curves_csv({curve}),
            "method,dataset,network,protocol,setting,threshold,recall,precision,false_positive_rate\n"
            "gdt,mDC,STRING,full,unseen-genes,2.5,0.25,1,0\n"
            "gdt,mDC,STRING,full,unseen-genes,-1,1,0.5,1\n");
}

}  // namespace
}  // namespace regulus::report
