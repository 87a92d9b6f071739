#include "regulus/pretrain/trainer.h"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "support/structured_corpus.h"

namespace regulus::pretrain {
namespace {

TEST(Trainer, LearnsStructureThatGeneMeansCannotSee) {
  const Corpus corpus({test::two_programs(200, 8, 5)}, 0.1, 1);
  backbone::TransformerConfig config;
  config.vocabulary = corpus.vocabulary().size();
  config.width = 16;
  config.heads = 2;
  config.hidden = 32;
  config.layers = 1;
  PretrainOptions options;
  options.sampling = {.panel = 8, .expressed_share = 0.5, .seed = 3};
  options.schedule = {.peak = 1e-2, .warmup_steps = 10, .steps = 160};
  options.batch = 16;
  options.leaf = 16;
  options.validation_every = 80;
  options.validation_samples = 64;
  const auto model = pretrain(comm::Communicator::world(), corpus, config, options, {});
  ASSERT_EQ(model.curve.size(), 2U);
  const LossRow& last = model.curve.back();
  EXPECT_EQ(last.step, 160);
  EXPECT_EQ(last.tokens, 160 * 16 * 8);
  EXPECT_LT(last.train_loss, model.curve.front().train_loss);
  EXPECT_GT(*last.baseline, 0.9);  // genes at 0 or about 2, predicted at about 1
  EXPECT_GT(*explained(last), 0.8);
  for (const auto& entry : model.weights) EXPECT_FALSE(entry.second.requires_grad());
}

TEST(LossCurve, WritesEmptyFieldsForUnknownNumbers) {
  const std::string text =
      to_csv({{10, 1000, 0.5, 2.0, std::nullopt, std::nullopt}, {20, 2000, 0.25, 1.0, 0.75, 1.5}});
  EXPECT_EQ(text,
            "step,tokens,learning_rate,train_loss,validation_loss,baseline,explained\n"
            "10,1000,0.5,2,,,\n"
            "20,2000,0.25,1,0.75,1.5,0.5\n");
}

}  // namespace
}  // namespace regulus::pretrain
