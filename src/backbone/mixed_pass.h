#pragma once

#include <memory>

#include "regulus/backbone/backbone.h"

namespace regulus::backbone {

/// Derivatives by one pass, predictions alone by another, both over the same panel: tangents with bfloat16
/// operands by the one that has them, the rest by the fastest in float32.
/// \param predictions for baseline(), respond() and attention() \param derivatives for respond_dual(), its
/// primal included, and tangents()
std::unique_ptr<PanelPass> mix(std::unique_ptr<PanelPass> predictions,
                               std::unique_ptr<PanelPass> derivatives);

}  // namespace regulus::backbone
