#include "regulus/backbone/predict.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace regulus::backbone {

namespace {

constexpr double kLargestValue = 512.0;  // scGPT's ContinuousValueEncoder clamps above it

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

at::Tensor encode(const StateDict& weights, const at::Tensor& gene_ids, const at::Tensor& values) {
  const Scope genes(weights, "encoder.");
  const Scope value(weights, "value_encoder.");
  const at::Tensor gene = genes.norm(at::embedding(genes["embedding.weight"], gene_ids), "enc_norm");
  const at::Tensor clamped = at::clamp_max(values, kLargestValue).unsqueeze(-1);
  return gene + value.norm(value.linear(at::relu(value.linear(clamped, "linear1")), "linear2"), "norm");
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

}  // namespace

at::Tensor predict(const TransformerConfig& config, const StateDict& weights, const at::Tensor& gene_ids,
                   const at::Tensor& values, const at::Tensor& padding_mask) {
  at::Tensor x = encode(weights, gene_ids, values);
  for (std::int64_t k = 0; k < config.layers; ++k) {
    const Scope layer(weights, fmt::format("transformer_encoder.layers.{}.", k));
    const at::Tensor qkv = at::linear(x, layer["self_attn.in_proj_weight"], layer["self_attn.in_proj_bias"]);
    x = layer.norm(x + layer.linear(attend(config, qkv, padding_mask), "self_attn.out_proj"), "norm1");
    x = layer.norm(x + layer.linear(at::relu(layer.linear(x, "linear1")), "linear2"), "norm2");
  }
  const Scope decoder(weights, "decoder.fc.");
  x = at::leaky_relu(decoder.linear(x, "0"));
  x = at::leaky_relu(decoder.linear(x, "2"));
  return decoder.linear(x, "4").squeeze(-1);
}

}  // namespace regulus::backbone
