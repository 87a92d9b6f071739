#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "workload.h"

namespace regulus::benchmark {

/// How far the derivatives of an engine are from forward-mode AD of the plain forward pass in float64: the
/// state "source at a grid value" through the dual pass, and the same state as a background through the
/// tangents. \return vvp+gdt, osg, and plain (forward-mode AD in float32, for comparison), each with error
/// (the largest difference over the largest derivative; where a ReLU flips in float32, that alone) and
/// correlation
nlohmann::json measure_errors(const Shape& shape, const std::string& precision);

}  // namespace regulus::benchmark
