// Scripted modules against the native backbone: an independent Python implementation of scGPT with the same
// weights, run by way of TorchScript and differentiated by LibTorch.
#include "regulus/backbone/torchscript.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "regulus/backbone/transformer.h"
#include "regulus/core/log.h"
#include "regulus/storage/text_file.h"
#include "support/expect_error.h"
#include "support/python.h"
#include "support/script_models.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace {

using namespace regulus;

constexpr std::int64_t kGenes = 9;

/// Every module of script_models.h, scripted once.
class TorchScript : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    has_torch_ = std::system("/usr/bin/python3 -c 'import torch' >/dev/null 2>&1") == 0;
    if (!has_torch_) return;
    model_ = test::tiny_model(kGenes, 11);
    folder_ = std::make_unique<test::TempFolder>();
    backbone::save_model(folder_->path(), model_.config, model_.vocabulary, model_.weights, {});
    scripted_ = test::run_python(*folder_ / "models.py", test::kScriptModels, folder_->path()) == 0;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void SetUp() override {
    if (!has_torch_) GTEST_SKIP() << "python3-torch is missing: no module can be scripted";
    ASSERT_TRUE(scripted_);
  }

  static std::unique_ptr<backbone::Backbone> open(const std::string& name,
                                                  at::ScalarType precision = at::kDouble) {
    return backbone::make_script_backbone(backbone::read_scripted_model(*folder_ / name), precision);
  }

  static std::string refusal(const std::string& name) {
    return test::error_of(ErrorKind::Model, [&] { open(name); });
  }

  /// Opens a panel, asks for derivatives and returns what was logged.
  static std::string log_of_derivatives(const std::string& name) {
    const auto file = *folder_ / (name + ".log");
    log::configure({.file = file.string()});
    const auto model = open(name);
    const auto pass = model->open_panel(genes(), background().to(at::kDouble));
    pass->tangents(sources());
    pass->tangents(sources());
    log::configure({});
    return storage::read_text(file);
  }

  static at::Tensor genes() { return at::arange(kGenes, at::kLong); }
  static at::Tensor background() { return at::arange(kGenes, at::kDouble).mul(2.3).remainder(5.0); }
  static at::Tensor sources() { return at::tensor(std::vector<std::int64_t>{3, 0, kGenes - 1, 3}); }
  static at::Tensor values() { return at::tensor(std::vector<double>{0.4, 4.2, 2.2, 7.5}, at::kDouble); }

  static void expect_same_as_transformer(const std::string& name, at::ScalarType precision, double limit);

  static inline backbone::Model model_;
  static inline std::unique_ptr<test::TempFolder> folder_;
  static inline bool has_torch_ = false;
  static inline bool scripted_ = false;
};

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

void TorchScript::expect_same_as_transformer(const std::string& name, at::ScalarType precision,
                                             double limit) {
  const auto native = backbone::make_transformer(model_, {.precision = precision});
  const auto scripted = open(name, precision);
  EXPECT_EQ(scripted->no_derivative(), "");
  EXPECT_EQ(scripted->precision(), precision);
  const auto expected = native->open_panel(genes(), background().to(precision));
  const auto pass = scripted->open_panel(genes(), background().to(precision));
  EXPECT_LT(largest_difference(pass->baseline(), expected->baseline()), limit);
  EXPECT_LT(largest_difference(pass->respond(sources(), values()), expected->respond(sources(), values())),
            limit);
  const auto dual = pass->respond_dual(sources(), values());
  const auto expected_dual = expected->respond_dual(sources(), values());
  ASSERT_GT(expected_dual.tangent.abs().max().item<double>(), 1e-3);
  EXPECT_LT(largest_difference(dual.primal, expected_dual.primal), limit);
  EXPECT_LT(largest_difference(dual.tangent, expected_dual.tangent), limit);
  EXPECT_LT(largest_difference(pass->tangents(sources()), expected->tangents(sources())), limit);
  EXPECT_EQ(pass->tangents(sources()).scalar_type(), precision);
}

TEST_F(TorchScript, EqualsTheNativeBackboneByForwardMode) {
  expect_same_as_transformer("scgpt", at::kDouble, 1e-12);
  expect_same_as_transformer("scgpt", at::kFloat, 5e-6);
  EXPECT_EQ(log_of_derivatives("scgpt").find("derivatives"), std::string::npos);
}

TEST_F(TorchScript, AnswersForTheWantedTargetsAlone) {
  const auto model = open("scgpt");
  const auto all = model->open_panel(genes(), background());
  const auto some = model->open_panel(genes(), background(), {2, 3});
  const auto columns = [](const at::Tensor& response) { return response.narrow(-1, 2, 3); };
  const at::Tensor many = sources().repeat({400});  // more than one call of the module
  const at::Tensor states = values().repeat({400});
  EXPECT_TRUE(at::allclose(some->respond(many, states), columns(all->respond(many, states))));
  EXPECT_TRUE(at::allclose(some->baseline(), columns(all->baseline())));
  EXPECT_TRUE(at::allclose(some->tangents(sources()), columns(all->tangents(sources()))));
  EXPECT_TRUE(at::allclose(some->respond_dual(sources(), values()).tangent,
                           columns(all->respond_dual(sources(), values()).tangent)));
}

TEST_F(TorchScript, EqualsTheNativeBackboneByTwoBackwardPasses) {
  expect_same_as_transformer("no_forward_mode", at::kDouble, 1e-12);
  expect_same_as_transformer("no_forward_mode", at::kFloat, 5e-6);
  test::expect_mentions(log_of_derivatives("no_forward_mode"), "two backward passes", "igamma");
}

TEST_F(TorchScript, EqualsTheNativeBackboneByOneBackwardPassPerTarget) {
  expect_same_as_transformer("once_differentiable", at::kDouble, 1e-12);
  expect_same_as_transformer("once_differentiable", at::kFloat, 5e-6);
  const std::string log = log_of_derivatives("once_differentiable");
  test::expect_mentions(log, "warning", "slow", "one backward pass per target", "cdist");
  EXPECT_EQ(log.find("slow"), log.rfind("slow"));
}

TEST_F(TorchScript, TheFusedEncoderIsDifferentiatedAsThePlainOne) {
  expect_same_as_transformer("fused_encoder", at::kDouble, 1e-12);
  expect_same_as_transformer("fused_encoder", at::kFloat, 5e-6);
}

TEST_F(TorchScript, SplitsLongBatches) {
  const std::int64_t batch = 1000;
  const at::Tensor many = at::arange(batch, at::kLong).remainder(kGenes);
  const at::Tensor at_values = at::arange(batch, at::kDouble).mul(0.01);
  for (const char* name : {"scgpt", "no_forward_mode", "once_differentiable"}) {
    const auto pass = open(name)->open_panel(genes(), background());
    const auto all = pass->respond_dual(many, at_values);
    EXPECT_LT(largest_difference(all.primal, pass->respond(many, at_values)), 1e-12) << name;
    const auto last = pass->respond_dual(many.slice(0, batch - 1), at_values.slice(0, batch - 1));
    EXPECT_LT(largest_difference(all.tangent.slice(0, batch - 1), last.tangent), 1e-12) << name;
  }
}

TEST_F(TorchScript, RepeatedCallsGiveTheSameBits) {
  const auto pass = open("scgpt", at::kFloat)->open_panel(genes(), background());
  const at::Tensor first = pass->respond(sources(), values());
  const at::Tensor tangent = pass->respond_dual(sources(), values()).tangent;
  for (int k = 0; k < 4; ++k) {
    EXPECT_TRUE(at::equal(first, pass->respond(sources(), values())));
    EXPECT_TRUE(at::equal(tangent, pass->respond_dual(sources(), values()).tangent));
  }
}

TEST_F(TorchScript, ReadsWhatTheFolderSaysOfTheInputs) {
  const auto model = backbone::read_scripted_model(*folder_ / "scgpt");
  EXPECT_EQ(model.vocabulary.size(), model_.vocabulary.size());
  EXPECT_EQ(model.checkpoint_sha256.size(), 64U);
  EXPECT_EQ(model.input.max_panel, 77);
  EXPECT_EQ(model.input.bins, 51);
  EXPECT_EQ(model.input.value_max, 50.0);
  EXPECT_EQ(model.input.cls_value, -3.0);
  EXPECT_TRUE(model.input.cls);
  EXPECT_EQ(backbone::read_scripted_model(*folder_ / "rounds").input.max_panel, 1200);
}

TEST_F(TorchScript, ShowsEmbeddingsWhereTheModuleDoes) {
  const auto model = open("scgpt");
  EXPECT_EQ(model->embedding_width(), model_.config.width);
  const at::Tensor table = model_.weights.at("encoder.embedding.weight").to(at::kDouble);
  EXPECT_TRUE(at::equal(model->embeddings(sources()), table.index_select(0, sources())));
  const auto without = open("once_differentiable");
  EXPECT_EQ(without->embedding_width(), 0);
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { without->embeddings(sources()); }), "embed");
}

TEST_F(TorchScript, ShowsNoAttention) {
  const auto model = open("scgpt");
  EXPECT_EQ(model->attention_layers(), 0);
  const auto pass = model->open_panel(genes(), background());
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { pass->attention(sources(), false); }),
                        "attention");
}

TEST_F(TorchScript, DiscreteValuesHaveNoDerivativeAndStillRespond) {
  for (const auto& [name, reason] : {std::pair{"tokens", "discrete tokens"},
                                     {"rounds", "rounded"},
                                     {"ignores_values", "no operation leads"}}) {
    const auto model = open(name);
    test::expect_mentions(model->no_derivative(), reason);
    const auto pass = model->open_panel(genes(), background());
    EXPECT_EQ(pass->respond(sources(), values()).sizes(), (std::vector<std::int64_t>{4, kGenes}));
    for (const std::string& text :
         {test::error_of(ErrorKind::Model, [&] { pass->respond_dual(sources(), values()); }),
          test::error_of(ErrorKind::Model, [&] { pass->tangents(sources()); })})
      test::expect_mentions(text, reason, "model.pt");
  }
}

TEST_F(TorchScript, RefusesOtherSignatures) {
  test::expect_mentions(refusal("two_arguments"), "argument", "gene_ids int64 [B, L]", "model.pt");
  test::expect_mentions(refusal("returns_tuple"), "Tuple", "predictions [B, L]");
  test::expect_mentions(refusal("returns_3d"), "[2, 5, 1]", "[2, 5]");
  test::expect_mentions(refusal("returns_integers"), "Long", "predictions [B, L]");
  test::expect_mentions(refusal("one_shape"), "shape", "model.pt");
  test::expect_mentions(refusal("no_forward"), "has no method forward");
  test::expect_mentions(refusal("wrong_embed"), "[3, 2]", "embed(gene_ids int64 [n])");
}

TEST_F(TorchScript, AModulesOwnErrorIsToldInOneLine) {
  const std::string text = refusal("raises");
  test::expect_mentions(text, "needs a batch label");
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_EQ(text.find("Traceback"), std::string::npos) << text;
}

TEST_F(TorchScript, RefusesFilesThatAreNoArchive) {
  test::expect_mentions(refusal("state_dict"), "is not a TorchScript archive", "torch.jit.script",
                        "model.pt");
  auto model = backbone::read_scripted_model(*folder_ / "scgpt");
  const std::string bytes = model.module_bytes;
  for (const std::string& broken :
       {std::string(), std::string("not a zip file"), bytes.substr(0, bytes.size() / 2)}) {
    model.module_bytes = broken;
    test::expect_mentions(
        test::error_of(ErrorKind::Model, [&] { backbone::make_script_backbone(model, at::kFloat); }),
        "is not a TorchScript archive", "model.pt");
  }
}

/// A folder with these files, which need not be a model.
std::string refused_folder(const std::vector<std::pair<std::string, std::string>>& files) {
  const test::TempFolder folder;
  for (const auto& [name, text] : files) std::ofstream(folder / name) << text;
  return test::error_of(ErrorKind::Model, [&] { backbone::read_scripted_model(folder.path()); });
}

TEST(TorchScriptFolder, NamesWhatIsMissingOrMalformed) {
  const std::pair<std::string, std::string> module{"model.pt", "x"};
  const std::pair<std::string, std::string> vocabulary{"vocab.json", "{\"A\": 0}"};
  test::expect_mentions(refused_folder({vocabulary}), "has no model.pt");
  test::expect_mentions(refused_folder({module}), "has no vocab.json");
  test::expect_mentions(refused_folder({module, {"vocab.json", "[]"}}), "vocab.json");
  test::expect_mentions(refused_folder({module, vocabulary, {"args.json", "{"}}), "args.json", "JSON");
  test::expect_mentions(refused_folder({module, vocabulary, {"args.json", "{\"max_seq_len\": 0}"}}),
                        "args.json");
  test::expect_mentions(
      test::error_of(ErrorKind::Model, [] { backbone::read_scripted_model("/nonexistent"); }), "folder");
}

}  // namespace
