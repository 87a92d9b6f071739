// Which architecture a checkpoint has, by its keys, and what is refused.
#include "regulus/backbone/architecture.h"

#include <gtest/gtest.h>

#include "regulus/backbone/weights.h"
#include "regulus/core/error.h"
#include "support/expect_error.h"
#include "support/tiny_model.h"

namespace {

using namespace regulus;
using backbone::Tensors;
using test::error_of;
using test::expect_mentions;

nlohmann::json tiny_args() {
  return {{"embsize", 16}, {"nheads", 4}, {"nlayers", 2}};
}

Tensors tiny_tensors() {
  return backbone::tensors_from_weights(test::tiny_model(5, 3).weights);
}

/// Moves a tensor to another name.
void rename(Tensors& tensors, const std::string& from, const std::string& to) {
  auto node = tensors.extract(from);
  ASSERT_FALSE(node.empty()) << from;
  node.key() = to;
  tensors.insert(std::move(node));
}

/// What load_model() does between reading the files and having weights.
backbone::TransformerConfig load(const nlohmann::json& args, Tensors tensors,
                                 backbone::StateDict* weights = nullptr) {
  auto config = backbone::config_from_args(args, "args.json");
  config.vocabulary = 8;
  const auto checkpoint = backbone::canonical_names(std::move(tensors), "model.pt");
  backbone::infer_architecture(config, checkpoint, "model.pt");
  const auto loaded = backbone::weights_from_tensors(checkpoint.tensors, config, "model.pt");
  if (weights != nullptr) *weights = loaded;
  return config;
}

std::string error_loading(const nlohmann::json& args, const Tensors& tensors) {
  return error_of(ErrorKind::Model, [&] { load(args, tensors); });
}

TEST(Architecture, HiddenWidthComesFromTheCheckpointWithoutArgs) {
  EXPECT_EQ(load(tiny_args(), tiny_tensors()).hidden, 19);
}

TEST(Architecture, FlashAttentionAndWrapperNamesAreTheSameWeights) {
  backbone::StateDict expected;
  load(tiny_args(), tiny_tensors(), &expected);
  for (const std::string attention : {"self_attn.Wqkv.", "self_attn._impl.Wqkv."}) {
    Tensors tensors = tiny_tensors();
    for (const std::string layer : {"0", "1"})
      for (const std::string part : {"weight", "bias"}) {
        const std::string prefix = "transformer_encoder.layers." + layer + ".";
        rename(tensors, prefix + "self_attn.in_proj_" + part, prefix + attention + part);
      }
    Tensors wrapped;
    for (const auto& [name, tensor] : tensors) wrapped["module." + name] = tensor;
    backbone::StateDict weights;
    load(tiny_args(), wrapped, &weights);
    ASSERT_EQ(weights.size(), expected.size());
    for (const auto& [name, weight] : expected) EXPECT_TRUE(at::equal(weights.at(name), weight)) << name;
  }
}

/// As published, where the width is that of the tokens: no projection.
TEST(Architecture, ScBenchmarkOfTheTokensWidthHasNoProjection) {
  Tensors tensors = tiny_tensors();
  for (const std::string part : {"weight", "bias"}) {
    tensors.erase("encoder.enc_norm." + part);
    tensors.erase("value_encoder.norm." + part);
    rename(tensors, "value_encoder.linear1." + part, "value_encoder.0." + part);
    rename(tensors, "value_encoder.linear2." + part, "value_encoder.2." + part);
    for (const std::string layer : {"0.", "2.", "4."})
      rename(tensors, "decoder.fc." + layer + part, "decoder." + layer + part);
  }
  rename(tensors, "encoder.embedding.weight", "embedding.weight");
  Tensors published;
  for (const auto& [name, tensor] : tensors)
    published[name.rfind("transformer_", 0) == 0 ? name.substr(std::string("transformer_").size()) : name] =
        tensor;
  const auto config = load(tiny_args(), published);
  EXPECT_FALSE(config.input_norms);
  EXPECT_FALSE(config.projects_tokens());
  EXPECT_EQ(config.mvc, backbone::MvcStyle::None);
}

TEST(Architecture, OneAttentionUnderTwoNamesIsRefused) {
  Tensors tensors = tiny_tensors();
  tensors["transformer_encoder.layers.0.self_attn.Wqkv.weight"] =
      tensors.at("transformer_encoder.layers.0.self_attn.in_proj_weight");
  expect_mentions(error_loading(tiny_args(), tensors), "model.pt", "in_proj_weight", "twice");
}

TEST(Architecture, EveryMissingUnknownAndWronglyShapedKeyIsListed) {
  Tensors tensors = tiny_tensors();
  tensors.erase("transformer_encoder.layers.1.self_attn.in_proj_weight");
  tensors.erase("decoder.fc.4.bias");
  tensors["transformer_encoder.layers.2.norm1.weight"] = tensors.at("decoder.fc.0.bias");
  tensors.at("encoder.embedding.weight").shape = {4, 32};
  expect_mentions(error_loading(tiny_args(), tensors), "layers.1.self_attn.in_proj_weight is missing",
                  "decoder.fc.4.bias is missing", "encoder.embedding.weight is [4, 32], expected [8, 16]",
                  "layers.2.norm1.weight is not part of this architecture");
}

/// Without it the model would be another one, whose values scale the genes: only args.json may say so.
TEST(Architecture, LostValueEncoderIsAnError) {
  Tensors tensors = tiny_tensors();
  for (const std::string layer : {"linear1", "linear2", "norm"})
    for (const std::string part : {".weight", ".bias"}) tensors.erase("value_encoder." + layer + part);
  expect_mentions(error_loading(tiny_args(), tensors), "value_encoder.linear1.weight is missing");
  nlohmann::json scaling = tiny_args();
  scaling["input_emb_style"] = "scaling";
  EXPECT_EQ(load(scaling, tensors).values, backbone::ValueStyle::Scaling);
}

TEST(Architecture, TrainingHeadsAreUnusedAndNamed) {
  Tensors tensors = tiny_tensors();
  tensors["cls_decoder.out_layer.bias"] = tensors.at("decoder.fc.0.bias");
  tensors["flag_encoder.weight"] = tensors.at("decoder.fc.0.weight");
  const auto checkpoint = backbone::canonical_names(tensors, "model.pt");
  EXPECT_EQ(checkpoint.unused,
            (std::vector<std::string>{"cls_decoder.out_layer.bias", "flag_encoder.weight"}));
  EXPECT_EQ(checkpoint.tensors.size(), tiny_tensors().size());
}

TEST(Architecture, WhatIsNotSupportedIsRefusedByName) {
  const auto with = [](const char* field, const nlohmann::json& value) {
    nlohmann::json args = tiny_args();
    args[field] = value;
    return error_loading(args, tiny_tensors());
  };
  expect_mentions(with("pre_norm", true), "pre_norm");
  expect_mentions(with("model_structure", "performer"), "performer", "torchscript:");
  expect_mentions(with("input_emb_style", "fourier"), "fourier");
  expect_mentions(with("cell_emb_style", "max-pool"), "max-pool");
  Tensors generator = tiny_tensors();
  generator["pert_encoder.weight"] = generator.at("decoder.fc.0.weight");
  expect_mentions(error_loading(tiny_args(), generator), "pert_encoder.weight", "perturbation model");
}

/// Found by fuzzing: a size beyond every integer was converted all the same.
TEST(Architecture, SizesOfAnotherTypeAreRefusedNotConverted) {
  for (const std::string size : {"6.7e81", "1.5", "true", "\"8\"", "null", "18446744073709551615", "[4]"})
    for (const std::string field : {"nheads", "embsize", "nlayers"}) {
      nlohmann::json args = tiny_args();
      args[field] = nlohmann::json::parse(size);
      expect_mentions(error_of(ErrorKind::Model, [&] { backbone::config_from_args(args, "args.json"); }),
                      "args.json", field, "wrong type");
    }
}

TEST(Architecture, BinsCountOnlyWhereTheInputWasBinned) {
  nlohmann::json args = tiny_args();
  args["n_bins"] = 51;
  EXPECT_EQ(backbone::config_from_args(args, "args.json").input.bins, 0);
  EXPECT_EQ(backbone::config_from_args(args, "args.json").input.value_max, 0.0);
  args["input_style"] = "binned";
  EXPECT_EQ(backbone::config_from_args(args, "args.json").input.bins, 51);
  EXPECT_EQ(backbone::config_from_args(args, "args.json").input.value_max, 50.0);
}

}  // namespace
