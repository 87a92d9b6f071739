// Batches in halves where memory runs out, with failures injected into a pass that only counts.
#include "backbone/divided_pass.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <new>
#include <vector>

#include "backbone/torch_compat.h"
#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "support/temp_folder.h"

namespace {

using namespace regulus;

/// Responses that name the state; batches above `room` states fail.
class SmallMemory final : public backbone::PanelPass {
 public:
  SmallMemory(std::int64_t room, std::function<void()> fail, std::vector<std::int64_t>& batches)
      : room_(room), fail_(std::move(fail)), batches_(batches) {}

  at::Tensor baseline() override { return at::zeros({2}); }
  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    enter(sources);
    return at::stack({sources.to(at::kDouble), values}, 1);
  }
  backbone::DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    const at::Tensor response = respond(sources, values);
    return {response, -response};
  }
  at::Tensor tangents(const at::Tensor& sources) override { return respond(sources, 2.0 * sources); }
  at::Tensor attention(const at::Tensor& sources, bool) override {
    return respond(sources, 3.0 * sources).unsqueeze(-1);
  }

 private:
  void enter(const at::Tensor& sources) {
    batches_.push_back(sources.size(0));
    if (sources.size(0) > room_) fail_();
  }

  std::int64_t room_;
  std::function<void()> fail_;
  std::vector<std::int64_t>& batches_;
};

[[noreturn]] void no_device_memory() {
  throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "CUDA has none");
}
[[noreturn]] void no_memory_in_words() {
  TORCH_CHECK(false, "CUDA error: out of memory");
  std::abort();
}
[[noreturn]] void no_host_memory() {
  throw std::bad_alloc();
}
[[noreturn]] void something_else() {
  throw InputError("another failure");
}

class Divided : public ::testing::Test {
 protected:
  std::unique_ptr<backbone::PanelPass> open(std::int64_t room, std::function<void()> fail) {
    return backbone::divide(std::make_unique<SmallMemory>(room, std::move(fail), batches_), limit_);
  }

  std::vector<std::int64_t> batches_;
  std::shared_ptr<backbone::BatchLimit> limit_ = std::make_shared<backbone::BatchLimit>();
  at::Tensor sources_ = at::arange(11, at::kLong);
  at::Tensor values_ = at::arange(11, at::kDouble) * 0.5;
};

using Batches = std::vector<std::int64_t>;

TEST_F(Divided, EveryKindOfFailureHalvesTheBatchAndTheResultsAreWhole) {
  for (const auto& fail : {no_device_memory, no_memory_in_words, no_host_memory}) {
    limit_ = std::make_shared<backbone::BatchLimit>();
    batches_.clear();
    const at::Tensor expected = at::stack({sources_.to(at::kDouble), values_}, 1);
    EXPECT_TRUE(at::equal(open(4, fail)->respond(sources_, values_), expected));
    EXPECT_EQ(batches_, (Batches{11, 6, 3, 3, 3, 2}));
  }
}

TEST_F(Divided, LaterBatchesOfAnyPanelStartWithWhatFitted) {
  const auto first = open(4, no_device_memory), second = open(4, no_device_memory);
  first->respond(sources_, values_);
  batches_.clear();
  const auto dual = second->respond_dual(sources_, values_);
  EXPECT_EQ(batches_, (Batches{3, 3, 3, 2}));
  EXPECT_TRUE(at::equal(dual.tangent, -dual.primal));
  EXPECT_TRUE(at::equal(dual.primal.select(1, 1), values_));
  EXPECT_TRUE(at::equal(second->tangents(sources_).select(1, 1), 2.0 * sources_.to(at::kDouble)));
  EXPECT_TRUE(
      at::equal(second->attention(sources_, true).select(1, 1).squeeze(-1), 3.0 * sources_.to(at::kDouble)));
}

TEST_F(Divided, WhatFitsIsLeftWhole) {
  open(11, no_device_memory)->tangents(sources_);
  EXPECT_EQ(batches_, Batches{11});
}

TEST_F(Divided, OneStateThatDoesNotFitIsAnError) {
  EXPECT_THROW(open(0, no_device_memory)->tangents(sources_), ModelError);
}

TEST_F(Divided, OtherFailuresPass) {
  EXPECT_THROW(open(4, something_else)->respond(sources_, values_), InputError);
  EXPECT_EQ(batches_, Batches{11});
}

TEST_F(Divided, SaysSoOnce) {
  const test::TempFolder folder;
  const auto file = folder / "log";
  log::configure({.level = "warning", .file = file.string()});
  open(1, no_device_memory)->respond(sources_, values_);
  log::configure({});
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto found = text.find("11 states do not fit");
  EXPECT_NE(found, std::string::npos) << text;
  EXPECT_EQ(text.find("do not fit", found + 15), std::string::npos) << text;
}

TEST_F(Divided, TakesNoMoreStatesThanItIsTold) {
  const auto pass =
      backbone::divide(std::make_unique<SmallMemory>(11, no_device_memory, batches_), limit_, 3);
  pass->respond(sources_, values_);
  EXPECT_EQ(batches_, (Batches{3, 3, 3, 2}));
}

}  // namespace
