#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace emulation {

/// A float with `bits` of its mantissa's 23, rounded to nearest, ties to even; NaN and infinity stay.
inline float rounded(float value, int bits) {
  if (!std::isfinite(value)) return value;
  const int dropped = 23 - bits;
  std::uint32_t word = std::bit_cast<std::uint32_t>(value);
  word += (std::uint32_t{1} << (dropped - 1)) - 1 + ((word >> dropped) & 1u);
  return std::bit_cast<float>(word & ~((std::uint32_t{1} << dropped) - 1));
}

}  // namespace emulation

class __nv_bfloat16 {
 public:
  __nv_bfloat16() = default;
  explicit __nv_bfloat16(float value)
      : word_(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(emulation::rounded(value, 7)) >> 16)) {}
  explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(word_) << 16); }

 private:
  std::uint16_t word_;
};
