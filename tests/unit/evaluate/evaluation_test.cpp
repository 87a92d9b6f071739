#include "regulus/evaluate/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "regulus/core/error.h"

namespace regulus::evaluate {
namespace {

const Subject kSubject{"mDC", "STRING", "balanced", "unseen-datasets"};
const std::vector<std::uint8_t> kLabel{1, 0, 1, 0, 0, 0};

Evaluation evaluate(const std::vector<Method>& methods, const std::vector<std::uint8_t>& label = kLabel) {
  return evaluate_methods(comm::Communicator::world(), kSubject, methods, label,
                          {.replicates = 20, .seed = 1});
}

TEST(Evaluation, OneRowAndCurvePerMethodThenRandom) {
  const auto result = evaluate({{"gdt", {6, 5, 4, 3, 2, 1}}, {"|pearson|", {1, 2, 3, 4, 5, 6}}});
  ASSERT_EQ(result.rows.size(), 3U);
  ASSERT_EQ(result.curves.size(), 2U);
  EXPECT_EQ(result.rows[0].method, "gdt");
  EXPECT_EQ(result.rows[0].dataset, "mDC");
  EXPECT_EQ(result.rows[0].setting, "unseen-datasets");
  EXPECT_EQ(result.rows[0].pairs, 6);
  EXPECT_EQ(result.rows[0].positives, 2);
  EXPECT_NEAR(result.rows[0].auprc.value, (1.0 + 2.0 / 3.0) / 2.0, 1e-15);
  EXPECT_LE(result.rows[0].auprc.interval.low, result.rows[0].auprc.interval.high);
  EXPECT_EQ(result.curves[1].method, "|pearson|");
  EXPECT_EQ(result.curves[1].points.back().recall, 1.0);
}

TEST(Evaluation, RandomIsTheShareOfPositives) {
  const MetricRow random = evaluate({{"gdt", {6, 5, 4, 3, 2, 1}}}).rows.back();
  EXPECT_EQ(random.method, "random");
  EXPECT_NEAR(random.auprc.value, 1.0 / 3.0, 1e-15);
  EXPECT_EQ(random.auprc_ratio.value, 1.0);
  EXPECT_EQ(random.auroc.value, 0.5);
  EXPECT_EQ(random.epr.value, 1.0);
  EXPECT_TRUE(std::isnan(random.auroc.interval.low));
}

TEST(Evaluation, ErrorsNameDataSetAndNetwork) {
  try {
    evaluate({{"gdt", {6, 5, 4, 3, 2, 1}}}, std::vector<std::uint8_t>(6, 0));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Input);
    EXPECT_EQ(error.where(), "mDC × STRING, gdt");
  }
}

TEST(Evaluation, EnsembleIsTheMeanLogit) {
  const std::vector<std::vector<double>> logits{{1, 2, 3}, {3, -2, 0}};
  EXPECT_EQ(mean_score(logits), (std::vector<double>{2.0, 0.0, 1.5}));
}

}  // namespace
}  // namespace regulus::evaluate
