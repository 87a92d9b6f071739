#include "transformer_weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <string>

#include "regulus/core/error.h"

namespace regulus::backbone {

namespace {

constexpr double kLargestValue = 512.0;  // the value encoders clamp above it
constexpr double kLeakySlope = 0.01;
constexpr double kChannelNormEpsilon = 6.1e-5;  // scGPT's

Linear linear_of(const StateDict& weights, const std::string& name, const char* separator = ".") {
  return {weights.at(name + separator + "weight"), weights.at(name + separator + "bias")};
}

LayerNorm norm_of(const StateDict& weights, const std::string& name) {
  return {weights.at(name + ".weight"), weights.at(name + ".bias")};
}

EncoderLayer layer_of(const StateDict& weights, std::int64_t index) {
  const std::string prefix = fmt::format("transformer_encoder.layers.{}.", index);
  return {linear_of(weights, prefix + "self_attn.in_proj", "_"),
          linear_of(weights, prefix + "self_attn.out_proj"),
          linear_of(weights, prefix + "linear1"),
          linear_of(weights, prefix + "linear2"),
          norm_of(weights, prefix + "norm1"),
          norm_of(weights, prefix + "norm2")};
}

at::Tensor normalise(const LayerNorm& norm, const at::Tensor& x) {
  return layer_norm(norm, x.unsqueeze(0))[0];
}

/// The label's row, where the model takes one. \return [d], or undefined
at::Tensor batch_encoding(const TransformerConfig& config, const StateDict& state,
                          const TransformerOptions& options) {
  if (config.batch_labels == 0) return {};
  const at::Tensor row = state.at("batch_encoder.embedding.weight").narrow(0, *options.batch_label, 1);
  return normalise(norm_of(state, "batch_encoder.enc_norm"), row)[0];
}

void check_label(const TransformerConfig& config, const TransformerOptions& options) {
  const std::int64_t labels = std::max(config.batch_labels, config.norm_labels);
  if (labels == 0 && options.batch_label)
    throw OptionError("the model takes no batch label", "--batch-label", "leave it out");
  if (labels > 0 && !options.batch_label)
    throw OptionError(fmt::format("the model needs one of its {} batch labels", labels), "--batch-label",
                      fmt::format("give 0 to {}", labels - 1));
  if (labels > 0 && (*options.batch_label < 0 || *options.batch_label >= labels))
    throw OptionError(
        fmt::format("{} is not one of the model's {} batch labels", *options.batch_label, labels),
        "--batch-label", fmt::format("give 0 to {}", labels - 1));
}

void unpack_inputs(const TransformerConfig& config, const StateDict& state, TransformerWeights& weights) {
  weights.embedding = state.at("encoder.embedding.weight");
  if (config.projects_tokens()) weights.projection = linear_of(state, "encoder.projection");
  if (config.input_norms) weights.gene_norm = norm_of(state, "encoder.enc_norm");
  weights.values = config.values;
  if (config.values == ValueStyle::Continuous) {
    weights.value1 = linear_of(state, "value_encoder.linear1");
    weights.value2 = linear_of(state, "value_encoder.linear2");
    if (config.input_norms) weights.value_norm = norm_of(state, "value_encoder.norm");
  } else if (config.values == ValueStyle::Category) {
    weights.value_table =
        normalise(norm_of(state, "value_encoder.enc_norm"), state.at("value_encoder.embedding.weight"));
  }
}

/// A batch norm in use is an affine map.
void fold_channel_norm(const TransformerConfig& config, const StateDict& state,
                       const TransformerOptions& options, TransformerWeights& weights) {
  if (config.channel_norm == ChannelNorm::None) return;
  const bool shared = config.channel_norm == ChannelNorm::Shared;
  const std::string name = shared ? "bn" : fmt::format("dsbn.bns.{}", *options.batch_label);
  at::Tensor scale = at::rsqrt(state.at(name + ".running_var") + kChannelNormEpsilon);
  if (shared) scale = scale * state.at("bn.weight");
  weights.channel_scale = scale;
  weights.channel_shift = -state.at(name + ".running_mean") * scale;
  if (shared) weights.channel_shift = weights.channel_shift + state.at("bn.bias");
}

/// The first layer takes [position | label]: the label's part is a constant, added to the bias.
void unpack_decoder(const TransformerConfig& config, const StateDict& state, const at::Tensor& batch,
                    TransformerWeights& weights) {
  weights.decoder1 = linear_of(state, "decoder.fc.0");
  weights.decoder2 = linear_of(state, "decoder.fc.2");
  weights.decoder3 = linear_of(state, "decoder.fc.4");
  if (!batch.defined()) return;
  const auto halves = weights.decoder1.weight.split(config.width, 1);
  weights.decoder1 = {halves[0].contiguous(), weights.decoder1.bias + at::mv(halves[1], batch)};
}

StateDict weights_on(const at::Device& device, const StateDict& weights, at::ScalarType precision) {
  StateDict state = convert(weights, precision == at::kBFloat16 ? at::kFloat : precision);
  for (auto& [name, weight] : state) weight = weight.to(device);
  return state;
}

[[noreturn]] void no_mvc(const std::string& why) {
  throw OptionError(why, "--read-out mvc", "use --read-out expression");
}

void unpack_mvc(const TransformerConfig& config, const StateDict& state, const at::Tensor& batch,
                TransformerWeights& weights) {
  if (config.mvc == MvcStyle::None) no_mvc("the model has no MVC decoder");
  if (config.mvc == MvcStyle::ConcatQuery || config.mvc == MvcStyle::SumQuery)
    no_mvc(
        "the model's MVC decoder is of style 'concat query' or 'sum query', which scGPT itself cannot run");
  if (config.cell == CellStyle::WeightedPool) no_mvc("cells embedded by 'w-pool' are not supported");
  weights.query_of_tokens = config.mvc == MvcStyle::TokenQuery;
  if (weights.query_of_tokens) {
    for (const char* layer : {"0", "2", "4"})
      weights.query.push_back(linear_of(state, std::string("mvc_decoder.gene2query.") + layer));
    return;
  }
  weights.query = {linear_of(state, "mvc_decoder.gene2query")};
  weights.query_weight = state.at("mvc_decoder.W.weight").narrow(0, 0, config.width);
  if (batch.defined())
    weights.query_of_batch =
        at::mv(state.at("mvc_decoder.W.weight").narrow(0, config.width, config.width).t(), batch);
}

/// Value encoder of stacked values. \param values [P, …] \return [P, …, d]
at::Tensor encode_values(const TransformerWeights& weights, const at::Tensor& values) {
  at::Tensor x = values.unsqueeze(-1).clone();
  if (x.size(0) == 2) x[1].mul_((x[0] <= kLargestValue).to(x.scalar_type()));
  x[0].clamp_max_(kLargestValue);
  x = linear(weights.value1, x);
  rectify_(x, 0.0);
  x = linear(weights.value2, x);
  return weights.value_norm ? layer_norm(*weights.value_norm, x) : x;
}

at::Tensor look_up_values(const TransformerWeights& weights, const at::Tensor& values) {
  const std::int64_t rows = weights.value_table.size(0);
  const at::Tensor categories = values.to(at::kLong);
  if (categories.numel() > 0 &&
      (categories.lt(0).any().item<bool>() || categories.ge(rows).any().item<bool>()))
    throw ModelError(
        fmt::format("an input value is outside the model's {} value categories, 0 to {}", rows, rows - 1),
        "probe", "give --grid, --v-b and --cls-value in the model's bins");
  return at::embedding(weights.value_table, categories);
}

}  // namespace

TransformerWeights unpack(const Model& model, const TransformerOptions& options) {
  check_label(model.config, options);
  const StateDict state = weights_on(options.device, model.weights, options.precision);
  const at::Tensor batch = batch_encoding(model.config, state, options);
  TransformerWeights weights;
  weights.heads = model.config.heads;
  unpack_inputs(model.config, state, weights);
  fold_channel_norm(model.config, state, options, weights);
  for (std::int64_t k = 0; k < model.config.layers; ++k) weights.layers.push_back(layer_of(state, k));
  unpack_decoder(model.config, state, batch, weights);
  weights.read_out = options.read_out;
  weights.cell = model.config.cell;
  if (options.read_out == ReadOut::Mvc) unpack_mvc(model.config, state, batch, weights);
  return weights;
}

TransformerWeights with_bfloat16_tangents(TransformerWeights weights) {
  const auto round = [](Linear& layer) { layer.tangent_weight = layer.weight.to(at::kBFloat16); };
  for (EncoderLayer& layer : weights.layers) {
    round(layer.in_projection);
    round(layer.out_projection);
    round(layer.feed_forward1);
    round(layer.feed_forward2);
  }
  round(weights.decoder1);
  round(weights.decoder2);
  return weights;
}

at::Tensor encode_genes(const TransformerWeights& weights, const at::Tensor& gene_ids) {
  at::Tensor rows = at::embedding(weights.embedding, gene_ids);
  if (weights.projection) rows = linear(*weights.projection, rows.unsqueeze(0))[0];
  return weights.gene_norm ? normalise(*weights.gene_norm, rows) : rows;
}

at::Tensor encode_inputs(const TransformerWeights& weights, const at::Tensor& gene,
                         const at::Tensor& values) {
  at::Tensor x;
  if (weights.values == ValueStyle::Scaling) {
    x = values.unsqueeze(-1) * gene;
  } else {
    x = weights.values == ValueStyle::Category ? look_up_values(weights, values)
                                               : encode_values(weights, values);
    x[0].add_(gene);
  }
  if (weights.channel_scale) {
    x.mul_(*weights.channel_scale);
    x[0].add_(weights.channel_shift);
  }
  return x;
}

CellQuery cell_query(const TransformerWeights& weights, const at::Tensor& gene) {
  at::Tensor query = gene.unsqueeze(0);
  for (std::size_t k = 0; k < weights.query.size(); ++k) {
    query = linear(weights.query[k], query);
    if (weights.query_of_tokens && k + 1 < weights.query.size()) rectify_(query, kLeakySlope);
  }
  query = query[0];
  const at::Tensor none = at::zeros({gene.size(0)}, gene.options());
  if (weights.query_of_tokens) return {query, none};
  query = at::sigmoid(query);
  const at::Tensor constant = weights.query_of_batch.defined() ? at::mv(query, weights.query_of_batch) : none;
  return {at::mm(query, weights.query_weight.t()), constant};
}

}  // namespace regulus::backbone
