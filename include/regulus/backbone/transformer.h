#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <optional>

#include "regulus/backbone/backbone.h"
#include "regulus/backbone/model_folder.h"

namespace regulus::backbone {

/// Which output of the model is 𝓜.
enum class ReadOut {
  Expression,  ///< the expression decoder, from every gene's own position
  Mvc          ///< the MVC decoder: the cell's embedding asked about every gene
};

/// How the native backbone is used.
struct TransformerOptions {
  /// at::kFloat, at::kDouble, or at::kBFloat16: the tangents' large matrix products with bfloat16 operands,
  /// and everything else, every prediction included, as at::kFloat.
  at::ScalarType precision = at::kFloat;
  ReadOut read_out = ReadOut::Expression;
  std::optional<std::int64_t> batch_label{};  ///< for models that take one, and only for them
  at::Device device = at::kCPU;               ///< holds the weights and computes; results are on the CPU
};

/// The native backbone: scGPT's and scBenchmark's architecture with an analytic forward, dual and tangent
/// pass. On a CUDA device a batch that its memory does not hold is computed in halves, which is logged once.
/// \throws OptionError if the batch label is missing, not wanted or out of range, or the model has no MVC
/// decoder that can be probed (scGPT's "inner product" or scBenchmark's, with the <cls> or mean embedding)
std::unique_ptr<Backbone> make_transformer(const Model& model, const TransformerOptions& options);

}  // namespace regulus::backbone
