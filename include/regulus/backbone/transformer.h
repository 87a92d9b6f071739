#pragma once

#include <memory>

#include "regulus/backbone/backbone.h"
#include "regulus/backbone/model_folder.h"

namespace regulus::backbone {

/// The native backbone: scGPT's architecture with an analytic forward, dual and tangent pass.
/// \param precision at::kFloat or at::kDouble
std::unique_ptr<Backbone> make_transformer(const Model& model, at::ScalarType precision);

}  // namespace regulus::backbone
