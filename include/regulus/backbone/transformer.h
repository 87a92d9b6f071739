#pragma once

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
  at::ScalarType precision = at::kFloat;  ///< at::kFloat or at::kDouble
  ReadOut read_out = ReadOut::Expression;
  std::optional<std::int64_t> batch_label{};  ///< for models that take one, and only for them
};

/// The native backbone: scGPT's and scBenchmark's architecture with an analytic forward, dual and tangent
/// pass.
/// \throws OptionError if the batch label is missing, not wanted or out of range, or the model has no MVC
/// decoder that can be probed (scGPT's "inner product" or scBenchmark's, with the <cls> or mean embedding)
std::unique_ptr<Backbone> make_transformer(const Model& model, const TransformerOptions& options);

}  // namespace regulus::backbone
