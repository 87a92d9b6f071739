#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "regulus/core/error.h"
#include "regulus/core/sha256.h"
#include "regulus/pretrain/trainer.h"
#include "support/structured_corpus.h"

namespace regulus::pretrain {
namespace {

namespace fs = std::filesystem;

const Corpus& corpus() {
  static const Corpus result({test::two_programs(60, 24, 5), test::two_programs(40, 10, 6, "S")}, 0.1, 1);
  return result;
}

backbone::TransformerConfig tiny_config() {
  backbone::TransformerConfig config;
  config.vocabulary = corpus().vocabulary().size();
  config.width = 16;
  config.heads = 2;
  config.hidden = 32;
  config.layers = 1;
  config.input.max_panel = 16;
  return config;
}

/// Five leaves a step, the last one shorter: uneven over 2, 3 and 4 ranks.
PretrainOptions tiny_options() {
  PretrainOptions options;
  options.sampling = {.panel = 16, .seed = 3};
  options.schedule = {.peak = 5e-3, .warmup_steps = 4, .steps = 12};
  options.batch = 18;
  options.leaf = 4;
  options.validation_every = 5;
  options.validation_samples = 10;
  return options;
}

std::string hash_of(const PretrainedModel& model) {
  std::string bytes;
  for (const auto& [name, weight] : model.weights)
    bytes.append(static_cast<const char*>(weight.data_ptr()), weight.nbytes());
  bytes += to_csv(model.curve);
  return sha256(bytes.data(), bytes.size());
}

/// A folder of this test, the same on every rank, removed at the end.
class Pretrain : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name;
    if (world_.is_root()) {
      name = (fs::temp_directory_path() / "regulus_pretrain_XXXXXX").string();
      ASSERT_NE(mkdtemp(name.data()), nullptr);
    }
    world_.broadcast(name);
    folder_ = name;
  }
  void TearDown() override {
    world_.barrier();
    if (world_.is_root()) fs::remove_all(folder_);
  }

  PretrainedModel run(const RunControl& control = {}, const PretrainOptions& options = tiny_options()) const {
    return pretrain(world_, corpus(), tiny_config(), options, control);
  }

  /// Stops after every `steps` steps, on one rank only, and resumes until it is done. \return the last part's
  /// result
  PretrainedModel run_in_parts(int steps, int& parts) const {
    for (parts = 1; parts < 100; ++parts) {
      int calls = 0;
      RunControl control{.checkpoint = folder_ / "checkpoint.safetensors", .resume = true};
      control.stop_requested = [&] { return ++calls % steps == 0 && world_.rank() == world_.size() - 1; };
      try {
        return run(control);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::Interrupted) throw;
      }
    }
    return {};
  }

  comm::Communicator world_ = comm::Communicator::world();
  fs::path folder_;
};

TEST_F(Pretrain, WeightsAreTheSameOnEveryRankAndForOneRank) {
  const std::string mine = hash_of(run());
  for (const char byte : world_.all_gather(std::vector<char>(mine.begin(), mine.begin() + 1)))
    EXPECT_EQ(byte, mine[0]);
  std::string root = mine;
  world_.broadcast(root);
  EXPECT_EQ(mine, root);
  const std::string alone =
      hash_of(pretrain(comm::Communicator::self(), corpus(), tiny_config(), tiny_options(), {}));
  EXPECT_EQ(mine, alone);
}

TEST_F(Pretrain, AnInterruptedRunResumesToTheSameBytes) {
  const std::string whole = hash_of(run());
  int parts = 0;
  EXPECT_EQ(hash_of(run_in_parts(5, parts)), whole);
  EXPECT_EQ(parts, 3);
}

TEST_F(Pretrain, ResumeRefusesAnotherJobAndNamesTheOption) {
  RunControl control{.checkpoint = folder_ / "checkpoint.safetensors", .stop_requested = [] { return true; }};
  EXPECT_THROW(run(control), Error);
  control.resume = true;
  PretrainOptions other = tiny_options();
  other.sampling.mask = 0.5;
  try {
    run(control, other);
    FAIL() << "resumed with another --mask";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Options);
    EXPECT_EQ(error.where(), "--mask");
  }
}

TEST_F(Pretrain, ADivergedLossIsAModelErrorThatNamesTheStep) {
  PretrainOptions wild = tiny_options();
  wild.schedule = {.peak = 1e30, .warmup_steps = 0, .steps = 12};
  try {
    run({}, wild);
    FAIL() << "a learning rate of 1e30 went through";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Model);
    EXPECT_NE(error.message().find("step 2 of 12"), std::string::npos) << error.message();
    EXPECT_NE(error.hint().find("--lr"), std::string::npos);
  }
}

}  // namespace
}  // namespace regulus::pretrain
