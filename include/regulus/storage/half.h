#pragma once

#include <cstdint>

namespace regulus::storage {

/// A number in the 16 bits of IEEE 754 binary16 ("float16" of numpy): 11 significant bits, up to 65,504.
struct Half {
  std::uint16_t bits = 0;
};

/// The nearest Half, ties to even; beyond the range infinity. NaN stays NaN.
Half to_half(float value);

/// Exact.
float to_float(Half value);

}  // namespace regulus::storage
