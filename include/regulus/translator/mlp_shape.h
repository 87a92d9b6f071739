#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace regulus::translator {

/// A multi-layer perceptron with ReLU between its layers. All its parameters lie in one flat array, layer by
/// layer: the weight [outputs, inputs], then the bias [outputs].
class MlpShape {
 public:
  MlpShape() = default;
  /// \param inputs width of a feature row \param hidden widths of the hidden layers; there is one output, the
  /// logit
  MlpShape(std::int64_t inputs, const std::vector<std::int64_t>& hidden);

  std::int64_t inputs() const { return widths_.front(); }
  std::int64_t layers() const { return static_cast<std::int64_t>(widths_.size()) - 1; }
  std::int64_t layer_inputs(std::int64_t layer) const { return widths_[static_cast<std::size_t>(layer)]; }
  std::int64_t layer_outputs(std::int64_t layer) const {
    return widths_[static_cast<std::size_t>(layer) + 1];
  }
  std::int64_t weight_offset(std::int64_t layer) const;
  std::int64_t bias_offset(std::int64_t layer) const;
  std::int64_t parameters() const { return weight_offset(layers()); }

 private:
  std::vector<std::int64_t> widths_;
};

/// Weights uniform in +-sqrt(6 / inputs) (He et al. 2015, for ReLU), biases 0. The numbers belong to (seed,
/// name).
std::vector<float> initial_parameters(const MlpShape& shape, std::uint64_t seed, const std::string& name);

}  // namespace regulus::translator
