#include "regulus/backbone/transformer.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <vector>

#include "dual_attention.h"
#include "dual_ops.h"

namespace regulus::backbone {

namespace {

constexpr double kLargestValue = 512.0;  // scGPT's ContinuousValueEncoder clamps above it
constexpr double kLeakySlope = 0.01;

struct EncoderLayer {
  Linear in_projection, out_projection, feed_forward1, feed_forward2;
  LayerNorm norm1, norm2;
};

struct Weights {
  at::Tensor embedding;
  LayerNorm gene_norm, value_norm;
  Linear value1, value2;
  std::vector<EncoderLayer> layers;
  Linear decoder1, decoder2, decoder3;
  std::int64_t heads = 1;
};

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

Weights unpack(const TransformerConfig& config, const StateDict& state) {
  Weights weights;
  weights.embedding = state.at("encoder.embedding.weight");
  weights.gene_norm = norm_of(state, "encoder.enc_norm");
  weights.value_norm = norm_of(state, "value_encoder.norm");
  weights.value1 = linear_of(state, "value_encoder.linear1");
  weights.value2 = linear_of(state, "value_encoder.linear2");
  for (std::int64_t k = 0; k < config.layers; ++k) weights.layers.push_back(layer_of(state, k));
  weights.decoder1 = linear_of(state, "decoder.fc.0");
  weights.decoder2 = linear_of(state, "decoder.fc.2");
  weights.decoder3 = linear_of(state, "decoder.fc.4");
  weights.heads = config.heads;
  return weights;
}

/// Value encoder on stacked parts. \param values [P, …] \return [P, …, d]
at::Tensor encode_values(const Weights& weights, const at::Tensor& values) {
  at::Tensor x = values.unsqueeze(-1).clone();
  if (x.size(0) == 2) x[1].mul_((x[0] <= kLargestValue).to(x.scalar_type()));
  x[0].clamp_max_(kLargestValue);
  x = linear(weights.value1, x);
  rectify_(x, 0.0);
  return layer_norm(weights.value_norm, linear(weights.value2, x));
}

/// One post-norm encoder layer on stacked parts. \param x [P, B, L, d]
at::Tensor encode_layer(const EncoderLayer& layer, std::int64_t heads, const at::Tensor& x) {
  const at::Tensor qkv = linear(layer.in_projection, x);
  at::Tensor context = at::empty_like(x);
  if (x.size(0) == 2) {
    attend_dual(qkv, heads, context);
  } else {
    at::Tensor primal = context[0];
    attend(qkv[0], heads, primal);
  }
  const at::Tensor attended = layer_norm(layer.norm1, linear(layer.out_projection, context).add_(x));
  at::Tensor hidden = linear(layer.feed_forward1, attended);
  rectify_(hidden, 0.0);
  return layer_norm(layer.norm2, linear(layer.feed_forward2, hidden).add_(attended));
}

/// Expression decoder. \param x [P, B, L, d] \return [P, B, L]
at::Tensor decode(const Weights& weights, const at::Tensor& x) {
  at::Tensor hidden = linear(weights.decoder1, x);
  rectify_(hidden, kLeakySlope);
  hidden = linear(weights.decoder2, hidden);
  rectify_(hidden, kLeakySlope);
  return linear(weights.decoder3, hidden).squeeze(-1);
}

/// What the tangents of one encoder layer need of the shared primal.
struct LayerPrimal {
  at::Tensor qkv, context;      // [L, 3d], [L, d]
  NormStatistics norm1, norm2;  // of [L, d]
  at::Tensor active;            // [L, hidden], 1 where the ReLU passes
};

at::Tensor slopes(const at::Tensor& before, double slope) {
  return at::where(before > 0, at::ones({}, before.options()), at::full({}, slope, before.options()));
}

class TransformerPass final : public PanelPass {
 public:
  TransformerPass(std::shared_ptr<const Weights> weights, const at::Tensor& gene_ids,
                  const at::Tensor& background)
      : shared_weights_(std::move(weights)), weights_(*shared_weights_), background_(background.clone()) {
    const at::Tensor rows = at::embedding(weights_.embedding, gene_ids).unsqueeze(0);
    gene_ = layer_norm(weights_.gene_norm, rows)[0];
    base_ = gene_ + encode_values(weights_, background_.unsqueeze(0))[0];
  }

  at::Tensor baseline() override { return run(base_.unsqueeze(0).unsqueeze(0))[0][0]; }

  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    return run(states(sources, values.unsqueeze(0)))[0];
  }

  DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    const at::Tensor result = run(states(sources, at::stack({values, at::ones_like(values)})));
    return {result[0], result[1]};
  }

  at::Tensor tangents(const at::Tensor& sources) override {
    if (layers_.empty()) record_primal();
    const at::Tensor own = background_.index_select(0, sources);
    at::Tensor tangent = states(sources, at::stack({own, at::ones_like(own)}))[1];
    for (std::size_t k = 0; k < layers_.size(); ++k)
      tangent = layer_tangent(weights_.layers[k], layers_[k], tangent);
    tangent = linear_tangent(weights_.decoder1, tangent).mul_(decoder_slopes1_);
    tangent = linear_tangent(weights_.decoder2, tangent).mul_(decoder_slopes2_);
    return linear_tangent(weights_.decoder3, tangent).squeeze(-1);
  }

 private:
  /// Inputs of the transformer: the background with one row replaced per state; the tangent lives in that row
  /// alone. \param parts [P, B]: the new values, and 1 as their tangent \return [P, B, L, d]
  at::Tensor states(const at::Tensor& sources, const at::Tensor& parts) const {
    const std::int64_t batch = sources.size(0);
    const std::int64_t length = base_.size(0);
    at::Tensor x = at::zeros({parts.size(0), batch, length, base_.size(1)}, base_.options());
    x[0].copy_(base_.expand({batch, length, base_.size(1)}));
    const at::Tensor rows = encode_values(weights_, parts.to(base_.scalar_type()));
    const at::Tensor state = at::arange(batch, sources.options());
    x[0].index_put_({state, sources}, gene_.index_select(0, sources) + rows[0]);
    if (parts.size(0) == 2) x[1].index_put_({state, sources}, rows[1]);
    return x;
  }

  at::Tensor run(at::Tensor x) const {
    for (const EncoderLayer& layer : weights_.layers) x = encode_layer(layer, weights_.heads, x);
    return decode(weights_, x);
  }

  void record_primal() {
    at::Tensor x = base_.unsqueeze(0);  // [1, L, d]: one part, no batch axis
    for (const EncoderLayer& layer : weights_.layers) x = record_layer(layer, x);
    at::Tensor hidden = linear(weights_.decoder1, x);
    decoder_slopes1_ = slopes(hidden[0], kLeakySlope);
    rectify_(hidden, kLeakySlope);
    decoder_slopes2_ = slopes(linear(weights_.decoder2, hidden)[0], kLeakySlope);
  }

  at::Tensor record_layer(const EncoderLayer& layer, const at::Tensor& x) {
    LayerPrimal primal;
    const at::Tensor qkv = linear(layer.in_projection, x);
    at::Tensor context = at::empty_like(x);
    attend(qkv, weights_.heads, context);
    const at::Tensor sum1 = linear(layer.out_projection, context).add_(x);
    const at::Tensor attended = layer_norm(layer.norm1, sum1);
    at::Tensor hidden = linear(layer.feed_forward1, attended);
    primal.active = slopes(hidden[0], 0.0);
    rectify_(hidden, 0.0);
    const at::Tensor sum2 = linear(layer.feed_forward2, hidden).add_(attended);
    primal.qkv = qkv[0];
    primal.context = context[0];
    primal.norm1 = norm_statistics(sum1[0]);
    primal.norm2 = norm_statistics(sum2[0]);
    layers_.push_back(primal);
    return layer_norm(layer.norm2, sum2);
  }

  /// \param tangent [B, L, d]
  at::Tensor layer_tangent(const EncoderLayer& layer, const LayerPrimal& primal,
                           const at::Tensor& tangent) const {
    const at::Tensor qkv = linear_tangent(layer.in_projection, tangent);
    at::Tensor context = at::empty_like(tangent);
    attend_tangents(primal.qkv, qkv, primal.context, weights_.heads, context);
    const at::Tensor attended = layer_norm_tangent(
        layer.norm1, primal.norm1, linear_tangent(layer.out_projection, context).add_(tangent));
    at::Tensor hidden = linear_tangent(layer.feed_forward1, attended).mul_(primal.active);
    return layer_norm_tangent(layer.norm2, primal.norm2,
                              linear_tangent(layer.feed_forward2, hidden).add_(attended));
  }

  std::shared_ptr<const Weights> shared_weights_;
  const Weights& weights_;
  at::Tensor background_;  // [L]
  at::Tensor gene_;        // [L, d] gene part of the input
  at::Tensor base_;        // [L, d] input at the background
  std::vector<LayerPrimal> layers_;
  at::Tensor decoder_slopes1_, decoder_slopes2_;
};

class Transformer final : public Backbone {
 public:
  Transformer(const Model& model, at::ScalarType precision)
      : config_(model.config),
        vocabulary_(model.vocabulary),
        precision_(precision),
        weights_(std::make_shared<const Weights>(unpack(model.config, convert(model.weights, precision)))) {}

  const data::Vocabulary& vocabulary() const override { return vocabulary_; }
  at::ScalarType precision() const override { return precision_; }
  double value_max() const override { return config_.value_max; }
  std::int64_t max_panel() const override { return config_.max_panel; }

  at::Tensor embeddings(const at::Tensor& gene_ids) const override {
    return at::embedding(weights_->embedding, gene_ids);
  }

  std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids,
                                        const at::Tensor& background) const override {
    return std::make_unique<TransformerPass>(weights_, gene_ids, background);
  }

 private:
  TransformerConfig config_;
  data::Vocabulary vocabulary_;
  at::ScalarType precision_;
  std::shared_ptr<const Weights> weights_;
};

}  // namespace

std::unique_ptr<Backbone> make_transformer(const Model& model, at::ScalarType precision) {
  return std::make_unique<Transformer>(model, precision);
}

}  // namespace regulus::backbone
