// Every constructor option of scGPT that the fixtures cover, against outputs of the original code.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/forward_grad.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "regulus/backbone/predict.h"
#include "regulus/backbone/transformer.h"
#include "regulus/storage/hdf5.h"
#include "regulus/storage/text_file.h"
#include "support/temp_folder.h"

namespace {

using namespace regulus;
using backbone::TransformerOptions;

constexpr double kTolerance = 1e-12;

class Variants : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    tiny_ = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle" / "scgpt" / "tiny";
    if (!std::filesystem::exists(tiny_)) GTEST_SKIP() << "no reference outputs at ../shared/oracle/scgpt";
    goldens_.emplace(storage::H5File::open_read(tiny_ / "variants" / "variants.h5"));
    model_ = backbone::load_model(model_folder());
    weights_ = backbone::convert(model_.weights, at::kDouble);
  }

  /// The fixtures' weights beside an args.json that says how the variant was built.
  std::filesystem::path model_folder() {
    auto args = nlohmann::json::parse(storage::read_text(tiny_ / "args.json"));
    args["nlayers"] = goldens_->read_attribute_int("/" + GetParam(), "nlayers");
    for (const char* option : {"input_emb_style", "cell_emb_style"})
      if (goldens_->has_attribute("/" + GetParam(), option))
        args[option] = goldens_->read_attribute_string("/" + GetParam(), option);
    storage::write_text_atomically(folder_ / "args.json", args.dump());
    std::filesystem::copy_file(tiny_ / "vocab.json", folder_ / "vocab.json");
    std::filesystem::copy_file(tiny_ / "variants" / (GetParam() + ".safetensors"),
                               folder_ / "model.safetensors");
    return folder_.path();
  }

  at::Tensor read(const std::string& path) const {
    return at::tensor(goldens_->read<double>(path), at::kDouble).reshape(goldens_->shape(path));
  }

  backbone::ModelInput input() const {
    return {read("/gene_ids").to(at::kLong), read("/" + GetParam() + "/values"),
            read("/key_padding_mask").to(at::kBool), read("/batch_label_ids").to(at::kLong)};
  }

  /// The largest difference to an output of the original, positions under the mask left out.
  double error(const char* name, const at::Tensor& output) const {
    at::Tensor difference = (output - read("/" + GetParam() + "/" + name)).abs();
    if (output.sizes() == input().padding_mask.sizes())
      difference = difference.masked_fill(input().padding_mask, 0.0);
    return difference.max().item<double>();
  }

  bool has(const char* name) const { return goldens_->has("/" + GetParam() + "/" + name); }

  /// One row of the fixture's inputs without its padding, as a panel.
  struct Row {
    at::Tensor genes, values, expected;
  };
  Row row(std::int64_t index, const char* output) const {
    const at::Tensor keep = input().padding_mask[index].logical_not().nonzero().squeeze(-1);
    return {input().gene_ids[index].index_select(0, keep), input().values[index].index_select(0, keep),
            read("/" + GetParam() + "/" + output)[index].index_select(0, keep)};
  }

  /// Options for row `index`: dsbn takes the label of the batch's first cell.
  TransformerOptions options(std::int64_t index) const {
    TransformerOptions result{.precision = at::kDouble};
    const at::Tensor labels = input().batch_labels;
    if (model_.config.norm_labels > 0) result.batch_label = labels[0].item<std::int64_t>();
    if (model_.config.batch_labels > 0) result.batch_label = labels[index].item<std::int64_t>();
    return result;
  }

  /// [L] derivative of a read-out by the value at one position.
  at::Tensor forward_mode(const Row& cell, std::int64_t position, backbone::ReadOut read_out) const {
    const at::Tensor values = cell.values.unsqueeze(0);
    at::Tensor direction = at::zeros_like(values);
    direction[0][position] = 1.0;
    const auto level = torch::autograd::ForwardADLevel::get_next_idx();
    const auto prediction = backbone::predict_all(model_.config, weights_,
                                                  {cell.genes.unsqueeze(0),
                                                   at::_make_dual(values, direction, level),
                                                   {},
                                                   input().batch_labels.narrow(0, 0, 1)});
    const at::Tensor output = read_out == backbone::ReadOut::Mvc ? prediction.mvc : prediction.expression;
    const at::Tensor tangent = std::get<1>(at::_unpack_dual(output, level))[0].clone();
    torch::autograd::ForwardADLevel::release_idx(level);
    return tangent;
  }

  bool can_probe_mvc() const { return GetParam().rfind("mvc_", 0) != 0 && GetParam() != "w_pool"; }

  std::vector<TransformerOptions> read_outs() const {
    std::vector<TransformerOptions> result{options(0)};
    if (can_probe_mvc()) {
      result.push_back(options(0));
      result.back().read_out = backbone::ReadOut::Mvc;
    }
    return result;
  }

  test::TempFolder folder_;
  std::filesystem::path tiny_;
  backbone::Model model_;
  backbone::StateDict weights_;
  std::optional<storage::H5File> goldens_;
};

TEST_P(Variants, EveryOutputOfTheForwardPass) {
  const backbone::Prediction prediction = backbone::predict_all(model_.config, weights_, input());
  EXPECT_LE(error("mlm_output", prediction.expression), kTolerance);
  EXPECT_LE(error("cell_emb", prediction.cell), kTolerance);
  EXPECT_LE(error("mvc_output", prediction.mvc), kTolerance);
  EXPECT_EQ(has("mlm_zero_probs"), prediction.expressed_probability.defined());
  if (!has("mlm_zero_probs")) return;
  EXPECT_LE(error("mlm_zero_probs", prediction.expressed_probability), kTolerance);
  EXPECT_LE(error("mvc_zero_probs", prediction.mvc_expressed_probability), kTolerance);
}

TEST_P(Variants, NativePass) {
  for (std::int64_t index = 0; index < input().values.size(0); ++index) {
    const Row cell = row(index, "mlm_output");
    const auto pass = backbone::make_transformer(model_, options(index))->open_panel(cell.genes, cell.values);
    EXPECT_LE((pass->baseline() - cell.expected).abs().max().item<double>(), kTolerance) << index;
  }
}

TEST_P(Variants, NativeMvc) {
  TransformerOptions mvc = options(0);
  mvc.read_out = backbone::ReadOut::Mvc;
  if (!can_probe_mvc()) {
    EXPECT_THROW(backbone::make_transformer(model_, mvc), OptionError);
    return;
  }
  if (GetParam() == "avg_pool") return;  // its reference averages the padding as well
  const Row cell = row(0, "mvc_output");
  const auto pass = backbone::make_transformer(model_, mvc)->open_panel(cell.genes, cell.values);
  EXPECT_LE((pass->baseline() - cell.expected).abs().max().item<double>(), kTolerance);
}

/// Both read-outs: the analytic tangents are those of LibTorch's forward-mode AD of the whole forward pass.
TEST_P(Variants, Derivative) {
  Row cell = row(0, "mlm_output");
  cell.values =
      cell.values / 10.0;  // attention scores of `scaling` grow with the square, and so does rounding
  const at::Tensor source = at::full({1}, 2, at::kLong);
  for (const TransformerOptions& used : read_outs()) {
    const auto backbone = backbone::make_transformer(model_, used);
    const auto pass = backbone->open_panel(cell.genes, cell.values);
    if (!backbone->no_derivative().empty()) {
      EXPECT_EQ(GetParam(), "category");
      EXPECT_THROW(pass->respond_dual(source, cell.values.narrow(0, 2, 1)), ModelError);
      EXPECT_THROW(pass->tangents(source), ModelError);
      continue;
    }
    const at::Tensor expected = forward_mode(cell, 2, used.read_out);
    const auto dual = pass->respond_dual(source, cell.values.narrow(0, 2, 1));
    EXPECT_GT(expected.abs().max().item<double>(), 1e-5);
    EXPECT_LE((dual.tangent[0] - expected).abs().max().item<double>(), kTolerance);
    EXPECT_LE((pass->tangents(source)[0] - expected).abs().max().item<double>(), kTolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Variants,
                         ::testing::Values("mvc_concat", "mvc_sum", "zero_prob", "batch_labels",
                                           "batch_labels_zero_prob", "dsbn", "bn", "category", "scaling",
                                           "avg_pool", "w_pool", "n_cls5"),
                         [](const auto& variant) { return variant.param; });

}  // namespace
