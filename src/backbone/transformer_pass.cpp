#include "transformer_pass.h"

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "dual_attention.h"
#include "regulus/core/error.h"

namespace regulus::backbone {

namespace {

constexpr double kLeakySlope = 0.01;

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
at::Tensor decode(const TransformerWeights& weights, const at::Tensor& x) {
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
  TransformerPass(std::shared_ptr<const TransformerWeights> weights, const at::Tensor& gene_ids,
                  const at::Tensor& background, const PanelRange& targets)
      : shared_weights_(std::move(weights)),
        weights_(*shared_weights_),
        type_(weights_.embedding.scalar_type()),
        device_(weights_.embedding.device()),
        targets_(targets),
        background_(background.to(device_, type_, false, true)),
        gene_(encode_genes(weights_, gene_ids.to(device_))),
        base_(encode_inputs(weights_, gene_, background_.unsqueeze(0))[0]) {
    if (weights_.read_out == ReadOut::Mvc) query_ = cell_query(weights_, gene_);
  }

  at::Tensor baseline() override { return answer(run(base_.unsqueeze(0).unsqueeze(0)))[0][0]; }

  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    return answer(run(states(here(sources), here(values).unsqueeze(0))))[0];
  }

  DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    require_derivative();
    const at::Tensor own = here(values);
    const at::Tensor result = answer(run(states(here(sources), at::stack({own, at::ones_like(own)}))));
    return {result[0], result[1]};
  }

  at::Tensor tangents(const at::Tensor& sources) override {
    require_derivative();
    if (layers_.empty()) record_primal();
    const at::Tensor positions = here(sources);
    const at::Tensor own = background_.index_select(0, positions);
    return answer(run_tangents(states(positions, at::stack({own, at::ones_like(own)}))[1]));
  }

  at::Tensor attention(const at::Tensor& sources, bool all_layers) override {
    if (layers_.empty()) record_primal();
    std::vector<at::Tensor> columns;
    for (std::size_t k = all_layers ? 0 : layers_.size() - 1; k < layers_.size(); ++k) {
      columns.push_back(at::empty({sources.size(0), base_.size(0)}, base_.options()));
      attention_columns(layers_[k].qkv, weights_.heads, here(sources), columns.back());
    }
    return at::stack(columns, -1).narrow(1, targets_.first, targets_.count).cpu();
  }

 private:
  /// What is wanted of predictions [..., L], on the CPU.
  at::Tensor answer(const at::Tensor& predictions) const {
    return predictions.narrow(-1, targets_.first, targets_.count).cpu();
  }

  /// Positions or values on the model's device.
  at::Tensor here(const at::Tensor& x) const { return x.to(device_); }

  /// Inputs of the transformer: the background with one row replaced per state; the tangent lives in that row
  /// alone. \param parts [P, B]: the new values, and 1 as their tangent \return [P, B, L, d]
  at::Tensor states(const at::Tensor& sources, const at::Tensor& parts) const {
    const std::int64_t batch = sources.size(0);
    const std::int64_t length = base_.size(0);
    at::Tensor x = at::zeros({parts.size(0), batch, length, base_.size(1)}, base_.options());
    x[0].copy_(base_.expand({batch, length, base_.size(1)}));
    const at::Tensor rows = encode_inputs(weights_, gene_.index_select(0, sources), parts.to(type_));
    const at::Tensor state = at::arange(batch, sources.options());
    x[0].index_put_({state, sources}, rows[0]);
    if (parts.size(0) == 2) x[1].index_put_({state, sources}, rows[1]);
    return x;
  }

  at::Tensor run(at::Tensor x) const {
    for (const EncoderLayer& layer : weights_.layers) x = encode_layer(layer, weights_.heads, x);
    return weights_.read_out == ReadOut::Mvc ? ask_cells(x) : decode(weights_, x);
  }

  /// \param tangent [B, L, d] of the inputs \return [B, L]
  at::Tensor run_tangents(at::Tensor tangent) const {
    for (std::size_t k = 0; k < layers_.size(); ++k)
      tangent = layer_tangent(weights_.layers[k], layers_[k], tangent);
    if (weights_.read_out == ReadOut::Mvc) return at::matmul(cells(tangent), query_.query.t());
    tangent = linear_tangent(weights_.decoder1, tangent).mul_(decoder_slopes1_);
    tangent = linear_tangent(weights_.decoder2, tangent).mul_(decoder_slopes2_);
    return linear_tangent(weights_.decoder3, tangent).squeeze(-1);
  }

  /// The embedding of each cell. \param x […, L, d] \return […, d]
  at::Tensor cells(const at::Tensor& x) const {
    return weights_.cell == CellStyle::AveragePool ? x.mean(-2) : x.select(-2, 0);
  }

  /// MVC decoder. \param x [P, B, L, d] \return [P, B, L]
  at::Tensor ask_cells(const at::Tensor& x) const {
    at::Tensor answer = at::matmul(cells(x), query_.query.t());
    answer[0].add_(query_.constant);
    return answer;
  }

  void require_derivative() const {
    const std::string reason = no_derivative(weights_);
    if (!reason.empty()) throw ModelError(reason, "probe", "ask for vvp, pert, attn or emb");
  }

  /// Leaves nothing behind if memory runs out on the way, so that it can be called again.
  void record_primal() {
    at::Tensor x = base_.unsqueeze(0);  // [1, L, d]: one part, no batch axis
    std::vector<LayerPrimal> layers;
    for (const EncoderLayer& layer : weights_.layers) x = record_layer(layer, x, layers);
    if (weights_.read_out == ReadOut::Expression) {
      at::Tensor hidden = linear(weights_.decoder1, x);
      decoder_slopes1_ = slopes(hidden[0], kLeakySlope);
      rectify_(hidden, kLeakySlope);
      decoder_slopes2_ = slopes(linear(weights_.decoder2, hidden)[0], kLeakySlope);
    }
    layers_ = std::move(layers);
  }

  at::Tensor record_layer(const EncoderLayer& layer, const at::Tensor& x,
                          std::vector<LayerPrimal>& layers) const {
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
    layers.push_back(primal);
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

  std::shared_ptr<const TransformerWeights> shared_weights_;
  const TransformerWeights& weights_;
  at::ScalarType type_;  // of the residual stream
  at::Device device_;    // of everything below
  PanelRange targets_;
  at::Tensor background_;  // [L]
  at::Tensor gene_;        // [L, d] gene part of the input
  at::Tensor base_;        // [L, d] input at the background
  CellQuery query_;        // of the MVC decoder
  std::vector<LayerPrimal> layers_;
  at::Tensor decoder_slopes1_, decoder_slopes2_;
};

}  // namespace

std::unique_ptr<PanelPass> open_transformer_pass(std::shared_ptr<const TransformerWeights> weights,
                                                 const at::Tensor& gene_ids, const at::Tensor& background,
                                                 const PanelRange& targets) {
  return std::make_unique<TransformerPass>(std::move(weights), gene_ids, background, targets);
}

std::string no_derivative(const TransformerWeights& weights) {
  if (weights.values != ValueStyle::Category) return "";
  return "the model's input values are discrete categories, so its prediction has no derivative";
}

}  // namespace regulus::backbone
