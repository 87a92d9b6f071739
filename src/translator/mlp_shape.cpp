#include "regulus/translator/mlp_shape.h"

#include <cmath>

#include "regulus/core/random.h"

namespace regulus::translator {

MlpShape::MlpShape(std::int64_t inputs, const std::vector<std::int64_t>& hidden) : widths_{inputs} {
  widths_.insert(widths_.end(), hidden.begin(), hidden.end());
  widths_.push_back(1);
}

std::int64_t MlpShape::weight_offset(std::int64_t layer) const {
  std::int64_t offset = 0;
  for (std::int64_t before = 0; before < layer; ++before)
    offset += layer_outputs(before) * (layer_inputs(before) + 1);
  return offset;
}

std::int64_t MlpShape::bias_offset(std::int64_t layer) const {
  return weight_offset(layer) + layer_outputs(layer) * layer_inputs(layer);
}

std::vector<float> initial_parameters(const MlpShape& shape, std::uint64_t seed, const std::string& name) {
  std::vector<float> parameters(static_cast<std::size_t>(shape.parameters()), 0.0F);
  const std::string purpose = "translator.weights." + name;
  for (std::int64_t layer = 0; layer < shape.layers(); ++layer) {
    RandomStream stream(seed, purpose.c_str(), static_cast<std::uint64_t>(layer));
    const double bound = std::sqrt(6.0 / static_cast<double>(shape.layer_inputs(layer)));
    for (std::int64_t i = shape.weight_offset(layer); i < shape.bias_offset(layer); ++i)
      parameters[static_cast<std::size_t>(i)] = static_cast<float>(bound * (2.0 * stream.uniform() - 1.0));
  }
  return parameters;
}

}  // namespace regulus::translator
