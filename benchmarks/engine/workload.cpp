#include "workload.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <map>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::benchmark {

namespace {

constexpr double kLargestValue = 8.0;

at::ScalarType scalar_type(const std::string& precision) {
  const std::map<std::string, at::ScalarType> known = {
      {"float32", at::kFloat}, {"float64", at::kDouble}, {"bfloat16", at::kBFloat16}};
  const auto found = known.find(precision);
  if (found == known.end())
    throw OptionError("unknown precision '" + precision + "'", "--precision", "float32, float64 or bfloat16");
  return found->second;
}

}  // namespace

backbone::Model random_model(const Shape& shape) {
  backbone::Model model;
  std::vector<std::string> tokens;
  for (std::int64_t gene = 0; gene < shape.length; ++gene) tokens.push_back(fmt::format("G{}", gene));
  tokens.emplace_back("<pad>");
  model.vocabulary = data::Vocabulary(tokens);
  model.config.vocabulary = model.vocabulary.size();
  model.config.width = shape.width;
  model.config.heads = shape.heads;
  model.config.hidden = shape.hidden;
  model.config.layers = shape.layers;
  model.config.input.value_max = kLargestValue;
  model.weights = backbone::random_weights(model.config, shape.seed);
  return model;
}

std::unique_ptr<backbone::Backbone> open_engine(const backbone::Model& model, const std::string& precision) {
  backbone::TransformerOptions options;
  options.precision = scalar_type(precision);
  return backbone::make_transformer(model, options);
}

at::Tensor panel_genes(const Shape& shape) {
  return at::arange(shape.length, at::kLong);
}

at::Tensor panel_background(const Shape& shape) {
  RandomStream random(shape.seed, "benchmark.background");
  at::Tensor values = at::zeros({shape.length}, at::kFloat);
  for (std::int64_t gene = 0; gene < shape.length; ++gene)
    if (random.uniform() < 0.5) values[gene] = kLargestValue * random.uniform();
  return values;
}

States grid_states(const Shape& shape, std::int64_t sources, std::int64_t grid) {
  States states{at::empty({sources * grid}, at::kLong), at::empty({sources * grid}, at::kFloat)};
  for (std::int64_t state = 0; state < sources * grid; ++state) {
    states.sources.data_ptr<std::int64_t>()[state] = state / grid * shape.length / sources;
    states.values.data_ptr<float>()[state] =
        static_cast<float>(kLargestValue * static_cast<double>(state % grid + 1) / static_cast<double>(grid));
  }
  return states;
}

at::Tensor run(backbone::PanelPass& pass, Probe probe, const States& states) {
  return probe == Probe::Dual ? pass.respond_dual(states.sources, states.values).tangent
                              : pass.tangents(states.sources);
}

double flops_per_state(const Shape& shape, Probe probe) {
  return probe == Probe::Dual ? backbone::dual_pass_flops(shape.pass())
                              : backbone::tangent_pass_flops(shape.pass());
}

}  // namespace regulus::benchmark
