// The streaming engine against the plain passes, which keep every layer whole, and against forward-mode AD.
#include "backbone/streamed_pass.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "backbone/blas_threads.h"
#include "backbone/transformer_pass.h"
#include "regulus/backbone/predict.h"
#include "regulus/backbone/transformer.h"
#include "regulus/backbone/work.h"
#include "support/allocations.h"
#include "support/forward_mode.h"
#include "support/instruction_sets.h"
#include "support/tiny_model.h"

namespace {

using namespace regulus;
using backbone::PanelRange;

struct Shape {
  std::int64_t length, width, heads, layers;
};

/// One panel of a random model, opened with both engines.
class Panel {
 public:
  explicit Panel(const Shape& shape, at::ScalarType type = at::kDouble, double sharpness = 1.0)
      : length_(shape.length), type_(type) {
    backbone::Model model = test::tiny_model(shape.length, 7, shape.width, shape.heads, shape.layers);
    for (auto& [name, tensor] : model.weights)
      if (name.find("in_proj_weight") != std::string::npos)
        tensor.narrow(0, 0, 2 * shape.width).mul_(sharpness);  // of queries and keys
    weights_ =
        std::make_shared<const backbone::TransformerWeights>(backbone::unpack(model, {.precision = type}));
    at::manual_seed(3);
    background_ = (6.0 * at::rand({shape.length}, at::kDouble)).to(type);
  }

  std::unique_ptr<backbone::PanelPass> streamed() const { return streamed({0, length_}); }
  std::unique_ptr<backbone::PanelPass> streamed(const PanelRange& targets) const {
    return backbone::open_streamed_pass(weights_, pool_, {genes(), background_, targets, {}});
  }
  std::unique_ptr<backbone::PanelPass> plain() const {
    return backbone::open_transformer_pass(weights_, genes(), background_, {0, length_});
  }

  /// Sources all over the panel, repeated if there are more states.
  at::Tensor sources(std::int64_t states) const {
    return (at::arange(states, at::kLong) * 7).remainder(length_);
  }
  at::Tensor values(std::int64_t states) const {
    return at::linspace(0.1, 7.3, states, at::kDouble).to(type_);
  }

 private:
  at::Tensor genes() const { return at::arange(length_, at::kLong); }

  std::int64_t length_;
  at::ScalarType type_;
  std::shared_ptr<const backbone::TransformerWeights> weights_;
  std::shared_ptr<backbone::MemoryPool> pool_ = std::make_shared<backbone::MemoryPool>();
  at::Tensor background_;
};

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a - b).abs().max().item<double>();
}

/// Every answer of two passes, over some states. \param targets the columns of `whole` that `part` answers
void expect_same_answers(const Panel& panel, backbone::PanelPass& part, backbone::PanelPass& whole,
                         const PanelRange& targets, std::int64_t states) {
  const at::Tensor sources = panel.sources(states);
  const at::Tensor values = panel.values(states);
  const auto wanted = [&](const at::Tensor& response) {
    return response.narrow(1, targets.first, targets.count);
  };
  const auto dual = part.respond_dual(sources, values);
  const auto expected = whole.respond_dual(sources, values);
  ASSERT_GT(expected.tangent.abs().max().item<double>(), 1e-4);
  EXPECT_LT(largest_difference(dual.primal, wanted(expected.primal)), 1e-12);
  EXPECT_LT(largest_difference(dual.tangent, wanted(expected.tangent)), 1e-12);
  EXPECT_LT(largest_difference(part.respond(sources, values), wanted(expected.primal)), 1e-12);
  EXPECT_LT(largest_difference(part.tangents(sources), wanted(whole.tangents(sources))), 1e-12);
  EXPECT_LT(largest_difference(part.baseline().unsqueeze(0), wanted(whole.baseline().unsqueeze(0))), 1e-12);
  for (const bool all_layers : {false, true})
    EXPECT_LT(
        largest_difference(part.attention(sources, all_layers), wanted(whole.attention(sources, all_layers))),
        1e-12);
}

class StreamedPass : public ::testing::TestWithParam<Shape> {};

TEST_P(StreamedPass, EqualsThePlainPassWithEveryInstructionSet) {
  const Panel panel(GetParam());
  test::for_each_instruction_set([&] {
    const auto streamed = panel.streamed();
    const auto plain = panel.plain();
    expect_same_answers(panel, *streamed, *plain, {0, GetParam().length}, 5);
  });
}

TEST_P(StreamedPass, AnswersForTheWantedTargetsAlone) {
  const Panel panel(GetParam());
  const auto plain = panel.plain();
  const std::int64_t length = GetParam().length;
  for (const PanelRange& targets :
       {PanelRange{length / 3, length / 2}, PanelRange{length - 1, 1}, PanelRange{0, 2}})
    expect_same_answers(panel, *panel.streamed(targets), *plain, targets, 5);
}

TEST_P(StreamedPass, ManyStatesEqualFewAtATime) {
  const Panel panel(GetParam());
  const auto pass = panel.streamed();
  const std::int64_t states = 70;
  const at::Tensor sources = panel.sources(states);
  const at::Tensor values = panel.values(states);
  const auto dual = pass->respond_dual(sources, values);
  const at::Tensor tangents = pass->tangents(sources);
  for (std::int64_t s = 0; s < states; s += 23) {
    const auto one = pass->respond_dual(sources.narrow(0, s, 1), values.narrow(0, s, 1));
    EXPECT_LT(largest_difference(one.primal[0], dual.primal[s]), 1e-12);
    EXPECT_LT(largest_difference(one.tangent[0], dual.tangent[s]), 1e-12);
    EXPECT_LT(largest_difference(pass->tangents(sources.narrow(0, s, 1))[0], tangents[s]), 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, StreamedPass,
                         ::testing::Values(Shape{5, 16, 4, 2}, Shape{64, 16, 2, 1}, Shape{65, 24, 3, 3},
                                           Shape{131, 16, 1, 2}, Shape{530, 8, 2, 2}));

/// Of a difference to the size of what it is a difference of.
double relative_difference(const at::Tensor& actual, const at::Tensor& expected) {
  return largest_difference(actual, expected) / std::max(1.0, expected.abs().max().item<double>());
}

class SharpAttention : public ::testing::TestWithParam<Shape> {};

TEST_P(SharpAttention, IsExactWhereAQueryPaysAlmostAllToTheSource) {
  const Panel panel(GetParam(), at::kDouble, 15.0);
  const auto plain = panel.plain();
  const at::Tensor everyone = at::arange(GetParam().length, at::kLong);
  const at::Tensor most_paid = std::get<0>(plain->attention(everyone, true).select(2, 0).max(1));
  const auto [paid, sources] = most_paid.topk(4);
  ASSERT_GT(paid.min().item<double>(), 0.5);
  const auto streamed = panel.streamed();
  const auto dual = streamed->respond_dual(sources, panel.values(4));
  const auto expected = plain->respond_dual(sources, panel.values(4));
  EXPECT_LT(relative_difference(dual.primal, expected.primal), 1e-12);
  EXPECT_LT(relative_difference(dual.tangent, expected.tangent), 1e-12);
  EXPECT_LT(relative_difference(streamed->tangents(sources), plain->tangents(sources)), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(OneHead, SharpAttention,
                         ::testing::Values(Shape{20, 16, 1, 2}, Shape{64, 16, 1, 1}, Shape{131, 24, 1, 3}));

TEST(StreamedPassPrecision, SinglePrecisionKeepsItsDigitsWhereARowIsAlmostAll) {
  const Shape shape{90, 16, 2, 2};
  const Panel exact(shape, at::kDouble, 15.0), single(shape, at::kFloat, 15.0);
  const at::Tensor sources = exact.sources(40);
  ASSERT_GT(exact.plain()->attention(sources, true).max().item<double>(), 0.9);
  const auto expected = exact.plain()->respond_dual(sources, exact.values(40));
  const auto plain = single.plain()->respond_dual(sources, single.values(40));
  const auto streamed = single.streamed()->respond_dual(sources, single.values(40));
  const auto error = [](const at::Tensor& actual, const at::Tensor& truth) {
    return (actual.to(at::kDouble) - truth).abs().max().item<double>();
  };
  EXPECT_LT(error(streamed.primal, expected.primal), 2.0 * error(plain.primal, expected.primal));
  EXPECT_LT(error(streamed.tangent, expected.tangent), 2.0 * error(plain.tangent, expected.tangent));
}

TEST(StreamedPassThreads, TwoThreadsGiveTheSameBits) {
  const Panel panel({96, 16, 4, 2}, at::kFloat);
  const at::Tensor sources = panel.sources(64);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = panel.streamed()->respond_dual(sources, panel.values(64));
  const at::Tensor tangents = panel.streamed()->tangents(sources);
  at::set_num_threads(2);
  const auto two = panel.streamed()->respond_dual(sources, panel.values(64));
  EXPECT_TRUE(at::equal(one.primal, two.primal));
  EXPECT_TRUE(at::equal(one.tangent, two.tangent));
  EXPECT_TRUE(at::equal(tangents, panel.streamed()->tangents(sources)));
  at::set_num_threads(threads);
}

TEST(StreamedPassThreads, BlasHasOneThreadForEachCallerMeanwhile) {
  auto* const threads = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
  auto* const set_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (threads == nullptr) GTEST_SKIP() << "the BLAS in use is not OpenBLAS";
  const int before = threads();
  set_threads(2);
  {
    const backbone::SingleThreadedBlas single;
    EXPECT_EQ(threads(), 1);
  }
  EXPECT_EQ(threads(), 2);
  set_threads(before);
}

/// Panels with padding, against the plain formulas under a mask.
class PaddedPanel : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = test::tiny_model(40, 7, 16, 2, 2);
    const std::int64_t pad = *model_.vocabulary.find("<pad>");
    genes_ = at::arange(40, at::kLong);
    for (const std::int64_t position : {3, 17, 38, 39}) genes_[position] = pad;
    padding_ = genes_.eq(pad);
    background_ = at::linspace(0.2, 6.0, 40, at::kDouble);
    pass_ = backbone::make_transformer(model_, {.precision = at::kDouble})->open_panel(genes_, background_);
  }

  /// Predictions and their derivative for one source and value.
  std::pair<at::Tensor, at::Tensor> expected(std::int64_t source, double value) const {
    at::Tensor state = background_.clone();
    state[source] = value;
    at::Tensor direction = at::zeros_like(state);
    direction[source] = 1.0;
    const auto weights = backbone::convert(model_.weights, at::kDouble);
    return test::forward_mode(state.unsqueeze(0), direction.unsqueeze(0), [&](const at::Tensor& values) {
      return backbone::predict(model_.config, weights, genes_.unsqueeze(0), values, padding_.unsqueeze(0));
    });
  }

  backbone::Model model_;
  at::Tensor genes_, padding_, background_;
  std::unique_ptr<backbone::PanelPass> pass_;
};

TEST_F(PaddedPanel, PaddingIsNoKey) {
  for (const std::int64_t source : {0, 20, 3, 39}) {  // the last two are padding themselves
    const auto [primal, tangent] = expected(source, 4.5);
    const at::Tensor position = at::full({1}, source, at::kLong);
    const auto dual = pass_->respond_dual(position, at::full({1}, 4.5, at::kDouble));
    EXPECT_LT(largest_difference(dual.primal, primal), 1e-12) << source;
    EXPECT_LT(largest_difference(dual.tangent, tangent), 1e-12) << source;
    const auto own = expected(source, background_[source].item<double>());
    EXPECT_LT(largest_difference(pass_->tangents(position), own.second), 1e-12) << source;
    EXPECT_LT(largest_difference(pass_->baseline().unsqueeze(0), own.first), 1e-12) << source;
  }
}

TEST_F(PaddedPanel, NothingIsPaidToPadding) {
  const at::Tensor paid = pass_->attention(at::arange(40, at::kLong), true);
  EXPECT_EQ(paid.index_select(0, padding_.nonzero().squeeze(1)).abs().max().item<double>(), 0.0);
  EXPECT_LT((paid.sum(0) - 1.0).abs().max().item<double>(), 1e-12);
}

TEST(StreamedPassMemory, ALaterCallAllocatesOnlyItsResults) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "allocations are not counted under the address sanitizer";
  const std::int64_t length = 600, states = 12;
  const Panel panel({length, 32, 4, 3}, at::kFloat);
  const at::Tensor sources = panel.sources(states);
  const at::Tensor values = panel.values(states);
  const auto pass = panel.streamed();
  const auto use = [&] {
    pass->respond_dual(sources, values);
    pass->tangents(sources);
  };
  use();
  const std::size_t results = 3 * states * length * sizeof(float);
  const std::size_t bytes = test::allocated_bytes(use);
  EXPECT_GE(bytes, results);
  EXPECT_LT(bytes, 2 * results);  // one layer's x alone has 2 · 600 · 32 floats, 153,600 bytes
}

TEST(StreamedPassMemory, TheNextPanelReusesTheMemoryOfTheLast) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "allocations are not counted under the address sanitizer";
  const std::int64_t length = 600, width = 32;
  const Panel panel({length, width, 4, 3}, at::kFloat);
  const auto use = [&] { panel.streamed()->tangents(panel.sources(4)); };
  const std::size_t first = test::allocated_bytes(use);
  const std::size_t later = test::allocated_bytes(use);
  const std::size_t qkv_of_three_layers = 3 * 3 * length * width * sizeof(float);
  EXPECT_GT(first, later + qkv_of_three_layers);
}

TEST(StreamedPassMemory, WorkspaceIsWhatTheFormulaSays) {
  for (const std::int64_t length : {40, 700}) {
    const backbone::Model model = test::tiny_model(length, 7, 32, 4, 3);
    const auto backbone = backbone::make_transformer(model, {.precision = at::kFloat});
    EXPECT_EQ(backbone->workspace_bytes(), 0U);
    {
      const auto pass = backbone->open_panel(at::arange(length, at::kLong), at::ones({length}));
      pass->respond_dual(at::arange(32, at::kLong), at::ones({32}));
      pass->tangents(at::arange(32, at::kLong));
    }
    backbone::PassShape shape = backbone->pass_shape().value();
    shape.length = shape.targets = length;
    const double expected = backbone::engine_workspace_bytes(shape, at::get_num_threads());
    EXPECT_NEAR(static_cast<double>(backbone->workspace_bytes()) / expected, 1.0, 0.35)
        << "length " << length;
  }
}

}  // namespace
