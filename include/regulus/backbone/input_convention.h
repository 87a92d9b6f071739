#pragma once

#include <cstdint>

namespace regulus::backbone {

/// What the inputs of a model mean: how it was trained.
struct InputConvention {
  double value_max = 0.0;  ///< about the largest input value of training; 0 if unknown
  std::int64_t bins = 0;   ///< values are a cell's quantile bins 0 … bins − 1; 0 if they are not binned
  std::int64_t max_panel = 1200;  ///< longest panel of training
  bool cls = false;               ///< whether <cls> led every panel
  double cls_value = 0.0;         ///< its input value
};

}  // namespace regulus::backbone
