#include "regulus/translator/mlp.h"

#include <ATen/ATen.h>

namespace regulus::translator {

namespace {

at::Tensor weight_of(const MlpShape& shape, const at::Tensor& flat, std::int64_t layer) {
  const std::int64_t inputs = shape.layer_inputs(layer);
  const std::int64_t outputs = shape.layer_outputs(layer);
  return flat.narrow(0, shape.weight_offset(layer), outputs * inputs).view({outputs, inputs});
}

at::Tensor bias_of(const MlpShape& shape, const at::Tensor& flat, std::int64_t layer) {
  return flat.narrow(0, shape.bias_offset(layer), shape.layer_outputs(layer));
}

/// What each layer is given, and the logits at the end: [n, inputs], [n, hidden] …, [n, 1].
std::vector<at::Tensor> activations(const MlpShape& shape, const at::Tensor& parameters,
                                    const at::Tensor& inputs) {
  std::vector<at::Tensor> values{inputs};
  for (std::int64_t layer = 0; layer < shape.layers(); ++layer) {
    const at::Tensor bias = bias_of(shape, parameters, layer);
    values.push_back(at::addmm(bias, values.back(), weight_of(shape, parameters, layer).t()));
    if (layer + 1 < shape.layers()) values.back().relu_();
  }
  return values;
}

}  // namespace

at::Tensor forward(const MlpShape& shape, const at::Tensor& parameters, const at::Tensor& inputs) {
  return activations(shape, parameters, inputs).back().squeeze(1);
}

double loss(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& weights) {
  const at::Tensor z = logits.to(at::kDouble);
  const at::Tensor softplus = z.clamp_min(0) + z.abs().neg().exp().log1p();
  return (weights.to(at::kDouble) * (softplus - labels.to(at::kDouble) * z)).sum().item<double>();
}

LossGradient loss_and_gradient(const MlpShape& shape, const at::Tensor& parameters, const at::Tensor& inputs,
                               const at::Tensor& labels, const at::Tensor& weights) {
  const std::vector<at::Tensor> values = activations(shape, parameters, inputs);
  const at::Tensor logits = values.back().squeeze(1);
  LossGradient result{loss(logits, labels, weights), at::empty_like(parameters)};
  at::Tensor delta = (weights * (logits.sigmoid() - labels)).unsqueeze(1);  // d loss / d (the layer's output)
  for (std::int64_t layer = shape.layers() - 1; layer >= 0; --layer) {
    const at::Tensor& input = values[static_cast<std::size_t>(layer)];
    weight_of(shape, result.gradient, layer).copy_(at::mm(delta.t(), input));
    bias_of(shape, result.gradient, layer).copy_(delta.sum(0));
    if (layer > 0) delta = at::mm(delta, weight_of(shape, parameters, layer)) * input.gt(0);
  }
  return result;
}

}  // namespace regulus::translator
