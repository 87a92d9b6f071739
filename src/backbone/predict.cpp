#include "regulus/backbone/predict.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace regulus::backbone {

namespace {

constexpr double kLargestValue = 512.0;         // the value encoders clamp above it
constexpr double kChannelNormEpsilon = 6.1e-5;  // scGPT's

/// Weights under one prefix, by their short names.
class Scope {
 public:
  Scope(const StateDict& weights, std::string prefix) : weights_(weights), prefix_(std::move(prefix)) {}
  const at::Tensor& operator[](const char* name) const { return weights_.at(prefix_ + name); }

  at::Tensor linear(const at::Tensor& x, const std::string& layer) const {
    return at::linear(x, weights_.at(prefix_ + layer + ".weight"), weights_.at(prefix_ + layer + ".bias"));
  }

  at::Tensor norm(const at::Tensor& x, const std::string& layer) const {
    const auto& weight = weights_.at(prefix_ + layer + ".weight");
    return at::layer_norm(x, weight.sizes(), weight, weights_.at(prefix_ + layer + ".bias"));
  }

 private:
  const StateDict& weights_;
  std::string prefix_;
};

at::Tensor encode_genes(const TransformerConfig& config, const StateDict& weights,
                        const at::Tensor& gene_ids) {
  const Scope genes(weights, "encoder.");
  at::Tensor rows = at::embedding(genes["embedding.weight"], gene_ids);
  if (config.projects_tokens()) rows = genes.linear(rows, "projection");
  return config.input_norms ? genes.norm(rows, "enc_norm") : rows;
}

at::Tensor add_values(const TransformerConfig& config, const StateDict& weights, const at::Tensor& genes,
                      const at::Tensor& values) {
  const Scope value(weights, "value_encoder.");
  if (config.values == ValueStyle::Scaling) return genes * values.unsqueeze(-1);
  if (config.values == ValueStyle::Category)
    return genes + value.norm(at::embedding(value["embedding.weight"], values.to(at::kLong)), "enc_norm");
  const at::Tensor clamped = at::clamp_max(values, kLargestValue).unsqueeze(-1);
  const at::Tensor encoded = value.linear(at::relu(value.linear(clamped, "linear1")), "linear2");
  return genes + (config.input_norms ? value.norm(encoded, "norm") : encoded);
}

/// scGPT normalises the whole batch by the label of its first cell.
at::Tensor normalise_channels(const TransformerConfig& config, const StateDict& weights, const at::Tensor& x,
                              const at::Tensor& batch_labels) {
  if (config.channel_norm == ChannelNorm::None) return x;
  const bool shared = config.channel_norm == ChannelNorm::Shared;
  const Scope norm(weights,
                   shared ? "bn." : fmt::format("dsbn.bns.{}.", batch_labels[0].item<std::int64_t>()));
  const at::Tensor y = (x - norm["running_mean"]) / at::sqrt(norm["running_var"] + kChannelNormEpsilon);
  return shared ? y * norm["weight"] + norm["bias"] : y;
}

/// Multi-head self-attention before the output projection; qkv [B, L, 3d] packed as q | k | v, heads in
/// order.
at::Tensor attend(const TransformerConfig& config, const at::Tensor& qkv, const at::Tensor& padding_mask) {
  const std::int64_t batch = qkv.size(0);
  const std::int64_t length = qkv.size(1);
  const auto heads =
      qkv.reshape({batch, length, 3, config.heads, config.head_width()}).permute({2, 0, 3, 1, 4});
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.head_width()));
  at::Tensor scores = at::matmul(heads[0] * scale, heads[1].transpose(-2, -1));
  if (padding_mask.defined())
    scores = scores.masked_fill(padding_mask.reshape({batch, 1, 1, length}),
                                -std::numeric_limits<double>::infinity());
  const at::Tensor context = at::matmul(at::softmax(scores, -1), heads[2]);
  return context.transpose(1, 2).reshape({batch, length, config.width});
}

/// \return [B, L, d]
at::Tensor encode(const TransformerConfig& config, const StateDict& weights, const ModelInput& input,
                  at::Tensor x) {
  for (std::int64_t k = 0; k < config.layers; ++k) {
    const Scope layer(weights, fmt::format("transformer_encoder.layers.{}.", k));
    const at::Tensor qkv = at::linear(x, layer["self_attn.in_proj_weight"], layer["self_attn.in_proj_bias"]);
    x = layer.norm(x + layer.linear(attend(config, qkv, input.padding_mask), "self_attn.out_proj"), "norm1");
    x = layer.norm(x + layer.linear(at::relu(layer.linear(x, "linear1")), "linear2"), "norm2");
  }
  return x;
}

at::Tensor decode(const StateDict& weights, const std::string& decoder, at::Tensor x) {
  const Scope layers(weights, decoder);
  x = at::leaky_relu(layers.linear(x, "0"));
  x = at::leaky_relu(layers.linear(x, "2"));
  return layers.linear(x, "4").squeeze(-1);
}

at::Tensor cell_embedding(const TransformerConfig& config, const at::Tensor& x, const at::Tensor& values) {
  if (config.cell == CellStyle::Cls) return x.select(1, 0);
  if (config.cell == CellStyle::AveragePool) return x.mean(1);
  const at::Tensor sum = (x * values.unsqueeze(-1)).sum(1);
  return sum / sum.norm(2, {1}, true).clamp_min(1e-12);
}

/// \param x [B, n] or [B, L, n] \param labels [B, d] encodings, undefined for none \return with d more
/// columns
at::Tensor with_labels(const at::Tensor& x, const at::Tensor& labels) {
  if (!labels.defined()) return x;
  if (x.dim() == 2) return at::cat({x, labels}, -1);
  return at::cat({x, labels.unsqueeze(1).expand({x.size(0), x.size(1), labels.size(1)})}, -1);
}

/// \param genes [B, L, d] gene encodings \param cell [B, d or 2d]
void ask_cell(const TransformerConfig& config, const StateDict& weights, const at::Tensor& genes,
              const at::Tensor& cell, Prediction& prediction) {
  const Scope mvc(weights, "mvc_decoder.");
  const auto inner = [&](const at::Tensor& query) {
    return at::matmul(query, cell.unsqueeze(-1)).squeeze(-1);
  };
  if (config.mvc == MvcStyle::TokenQuery) {
    prediction.mvc = inner(mvc.linear(
        at::leaky_relu(mvc.linear(at::leaky_relu(mvc.linear(genes, "gene2query.0")), "gene2query.2")),
        "gene2query.4"));
    return;
  }
  const at::Tensor query = at::sigmoid(mvc.linear(genes, "gene2query"));
  if (config.mvc == MvcStyle::InnerProduct) {
    prediction.mvc = inner(at::linear(query, mvc["W.weight"]));
    if (config.zero_probability)
      prediction.mvc_expressed_probability = at::sigmoid(inner(mvc.linear(query, "W_zero_logit")));
    return;
  }
  const at::Tensor cells = cell.unsqueeze(1).expand({genes.size(0), genes.size(1), cell.size(-1)});
  const at::Tensor joined =
      config.mvc == MvcStyle::ConcatQuery ? at::cat({cells, query}, -1) : at::add(cells, query);
  const at::Tensor hidden = at::prelu(mvc.linear(joined, "fc1"), mvc["hidden_activation.weight"]);
  prediction.mvc = mvc.linear(hidden, "fc2").squeeze(-1);
}

}  // namespace

Prediction predict_all(const TransformerConfig& config, const StateDict& weights, const ModelInput& input) {
  const at::Tensor genes = encode_genes(config, weights, input.gene_ids);
  const at::Tensor inputs = normalise_channels(
      config, weights, add_values(config, weights, genes, input.values), input.batch_labels);
  const at::Tensor x = encode(config, weights, input, inputs);
  const Scope batch(weights, "batch_encoder.");
  at::Tensor labels;
  if (config.batch_labels > 0)
    labels = batch.norm(at::embedding(batch["embedding.weight"], input.batch_labels), "enc_norm");
  Prediction prediction;
  prediction.expression = decode(weights, "decoder.fc.", with_labels(x, labels));
  if (config.zero_probability)
    prediction.expressed_probability =
        at::sigmoid(decode(weights, "decoder.zero_logit.", with_labels(x, labels)));
  prediction.cell = cell_embedding(config, x, input.values);
  if (config.mvc != MvcStyle::None)
    ask_cell(config, weights, genes, with_labels(prediction.cell, labels), prediction);
  return prediction;
}

at::Tensor predict(const TransformerConfig& config, const StateDict& weights, const at::Tensor& gene_ids,
                   const at::Tensor& values, const at::Tensor& padding_mask) {
  const at::Tensor inputs = add_values(config, weights, encode_genes(config, weights, gene_ids), values);
  const at::Tensor x = encode(config, weights, {gene_ids, values, padding_mask, {}}, inputs);
  return decode(weights, "decoder.fc.", x);
}

}  // namespace regulus::backbone
