#include "regulus/translator/train.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/expect_error.h"
#include "support/xor_pairs.h"

namespace regulus::translator {
namespace {

TrainOptions quick() {
  TrainOptions options;
  options.hidden = {16};
  options.epochs = 40;
  options.learning_rate = 1e-2;
  options.seed = 2;
  return options;
}

Translator train_alone(const PairTable& table, const TrainOptions& options) {
  return train(comm::Communicator::self(), table, options, false);
}

/// Probability that a positive outranks a negative, by counting all pairs of them.
double auroc(const std::vector<float>& scores, const std::vector<std::uint8_t>& labels) {
  double wins = 0.0;
  double count = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j)
      if (labels[i] == 1 && labels[j] == 0) {
        wins += scores[i] > scores[j] ? 1.0 : 0.0;
        count += 1.0;
      }
  return wins / count;
}

/// No linear score beats chance on XOR: its AUROC is 0.5 with standard deviation sqrt((n+1) / (12 n1 n0)),
/// about 0.012 for 800 pairs. A network that has the rule is near 1.
TEST(Train, LearnsXorOnUnseenPairs) {
  const PairTable test_table = test::xor_pairs(10, 80, 77);
  const Translator trained = train_alone(test::xor_pairs(20, 60, 5), quick());
  for (const ProbeMatrix& features : test_table.features)
    EXPECT_GT(auroc(trained.logits(features.probe, features.values), test_table.label), 0.95)
        << features.probe;
  EXPECT_GT(auroc(trained.ensemble_logits(test_table.features), test_table.label), 0.95);
}

TEST(Train, WithoutHiddenLayersXorStaysAtChance) {
  TrainOptions linear = quick();
  linear.hidden = {};
  const PairTable test_table = test::xor_pairs(10, 80, 77);
  const Translator trained = train_alone(test::xor_pairs(20, 60, 5), linear);
  EXPECT_NEAR(auroc(trained.logits("xor", test_table.features[0].values), test_table.label), 0.5, 0.1);
}

TEST(Train, SameBytesForAnyNumberOfThreads) {
  const PairTable table = test::xor_pairs(8, 30, 5);
  TrainOptions options = quick();
  options.epochs = 3;
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Translator one = train_alone(table, options);
  at::set_num_threads(2);
  const Translator two = train_alone(table, options);
  EXPECT_EQ(at::get_num_threads(), 2) << "the caller's setting must come back";
  at::set_num_threads(before);
  EXPECT_EQ(one.model("xor").members[0].parameters, two.model("xor").members[0].parameters);
}

/// Labels that are coin flips: the validation loss soon rises, while the training loss falls on.
TEST(Train, StopsEarlyAndKeepsTheBestWeights) {
  PairTable noise = test::xor_pairs(10, 30, 5);
  RandomStream coin(1, "test.coin");
  for (std::uint8_t& label : noise.label) label = coin.uniform() < 0.5 ? 1 : 0;
  TrainOptions options = quick();
  options.epochs = 500;
  options.patience = 5;
  const Translator trained = train_alone(noise, options);
  const LossCurve& curve = trained.model("xor").members[0].curve;
  ASSERT_LT(curve.validation.size(), 500U);
  EXPECT_EQ(static_cast<std::int64_t>(curve.validation.size()), curve.best_epoch + 1 + options.patience);
  const auto best = std::min_element(curve.validation.begin(), curve.validation.end());
  EXPECT_EQ(best - curve.validation.begin(), curve.best_epoch);

  options.epochs = curve.best_epoch + 1;
  EXPECT_EQ(train_alone(noise, options).model("xor").members[0].parameters,
            trained.model("xor").members[0].parameters);
}

/// An MLP without inputs that matter fits the class prior: logit log(p / (1 - p)), or 0 with equal class
/// weights.
TEST(Train, ClassWeightsMoveThePrior) {
  PairTable table = test::xor_pairs(10, 40, 5);
  for (std::size_t i = 0; i < table.label.size(); ++i) table.label[i] = i % 5 == 0 ? 1 : 0;
  table.features = {{"constant", 1, std::vector<float>(table.label.size(), 1.0F)}};
  TrainOptions options = quick();
  options.hidden = {};
  options.validation_fraction = 0.0;
  options.weight_decay = 0.0;
  options.epochs = 300;
  options.learning_rate = 5e-2;
  options.batch = 400;
  options.leaf = 400;
  EXPECT_NEAR(train_alone(table, options).logits("constant", std::vector<float>{1.0F})[0], 0.0, 0.01);
  options.class_weights = false;
  EXPECT_NEAR(train_alone(table, options).logits("constant", std::vector<float>{1.0F})[0],
              std::log(0.2 / 0.8), 0.01);
}

TEST(Train, RecordsTheGenesItSaw) {
  PairTable table = test::xor_pairs(4, 10, 5);
  table.sources.push_back("UNUSED");
  TrainOptions options = quick();
  options.epochs = 1;
  const std::vector<std::string> seen = train_alone(table, options).record().seen_genes;
  EXPECT_EQ(seen.size(), 14U);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "UNUSED"), 0);
}

TEST(Train, RefusesTablesOfOneClassAndSenselessOptions) {
  PairTable table = test::xor_pairs(4, 10, 5);
  std::fill(table.label.begin(), table.label.end(), std::uint8_t{0});
  test::expect_mentions(test::error_of(ErrorKind::Input, [&] { train_alone(table, quick()); }), "40 pairs",
                        "0 positives");
  TrainOptions options = quick();
  options.batch = 0;
  test::expect_mentions(test::error_of(ErrorKind::Options, [&] { check(options); }), "--batch");
  options = quick();
  options.validation_fraction = 1.0;
  test::expect_mentions(test::error_of(ErrorKind::Options, [&] { check(options); }), "--validation");
  options = quick();
  options.hidden = {8, 0};
  test::expect_mentions(test::error_of(ErrorKind::Options, [&] { check(options); }), "--hidden");
}

TEST(Train, DivergenceIsAModelErrorWithARemedy) {
  TrainOptions options = quick();
  options.learning_rate = 1e30;
  test::expect_mentions(
      test::error_of(ErrorKind::Model, [&] { train_alone(test::xor_pairs(8, 30, 5), options); }),
      "learning rate");
}

}  // namespace
}  // namespace regulus::translator
