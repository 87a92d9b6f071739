#include "accuracy.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/forward_grad.h>

#include "regulus/backbone/predict.h"

namespace regulus::benchmark {

namespace {

/// [L] ∂𝓜(values)_j / ∂v_source, computed in the given type
at::Tensor forward_mode(const backbone::Model& model, const at::Tensor& genes, const at::Tensor& values,
                        const at::Tensor& source, at::ScalarType type) {
  const at::Tensor point = values.to(type).unsqueeze(0);
  at::Tensor direction = at::zeros_like(point);
  direction.index_fill_(1, source, 1.0);
  const auto level = torch::autograd::ForwardADLevel::get_next_idx();
  const auto result = backbone::predict(model.config, backbone::convert(model.weights, type),
                                        genes.unsqueeze(0), at::_make_dual(point, direction, level));
  const at::Tensor tangent = std::get<1>(at::_unpack_dual(result, level)).clone();
  torch::autograd::ForwardADLevel::release_idx(level);
  return tangent[0];
}

double correlation(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a - a.mean(), b - b.mean(), 0).item<double>();
}

nlohmann::json compare(const at::Tensor& column, const at::Tensor& exact) {
  const at::Tensor values = column.to(at::kDouble);
  const at::Tensor error = (values - exact).abs().max() / exact.abs().max();
  return {{"error", error.item<double>()}, {"correlation", correlation(values, exact)}};
}

}  // namespace

nlohmann::json measure_errors(const Shape& shape, const std::string& precision) {
  const backbone::Model model = random_model(shape);
  const auto engine = open_engine(model, precision);
  const at::Tensor genes = panel_genes(shape);
  const at::Tensor background = panel_background(shape);
  const States state = grid_states(shape, 1, 1);
  at::Tensor replaced = background.clone();
  replaced.index_copy_(0, state.sources, state.values);

  const at::Tensor exact = forward_mode(model, genes, replaced, state.sources, at::kDouble);
  const at::Tensor plain = forward_mode(model, genes, replaced, state.sources, at::kFloat);
  const auto error = [&](const at::Tensor& values, Probe probe) {
    const auto pass = engine->open_panel(genes, values.to(engine->precision()));
    return compare(run(*pass, probe, state)[0], exact);
  };
  return {{"vvp+gdt", error(background, Probe::Dual)},
          {"osg", error(replaced, Probe::Tangents)},
          {"plain", compare(plain, exact)}};
}

}  // namespace regulus::benchmark
