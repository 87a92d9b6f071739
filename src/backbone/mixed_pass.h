#pragma once

#include <memory>

#include "regulus/backbone/backbone.h"

namespace regulus::backbone {

/// Derivatives by one pass, predictions by another, both over the same panel. Reduced precision serves
/// derivatives, whose tangents are carried, but not predictions, of which the probes take differences.
/// \param exact for baseline(), respond() and attention() \param derivatives for respond_dual(), its primal
/// included, and tangents()
std::unique_ptr<PanelPass> mix(std::unique_ptr<PanelPass> exact, std::unique_ptr<PanelPass> derivatives);

}  // namespace regulus::backbone
