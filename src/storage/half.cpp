#include "regulus/storage/half.h"

#include <bit>
#include <cmath>

namespace regulus::storage {

namespace {

constexpr std::uint32_t kDroppedBits = 13;  // 23 fraction bits become 10
constexpr std::uint32_t kBiasChange = (127U - 15U) << 23U;
constexpr std::uint32_t kInfinity = 0x7c00U;
constexpr std::uint32_t kNan = 0x7e00U;
constexpr float kLeastNormal = 0x1p-14F;
constexpr float kLeastPositive = 0x1p-24F;
constexpr float kOverflow = 65520.0F;  // half way from the largest Half to the next power of two

/// Of a magnitude in the range of normal numbers. A fraction that rounds up to the next power of two carries
/// into the exponent, as it should.
std::uint32_t normal_bits(float magnitude) {
  const auto bits = std::bit_cast<std::uint32_t>(magnitude) - kBiasChange;
  const std::uint32_t last_kept = (bits >> kDroppedBits) & 1U;
  return (bits + 0xfffU + last_kept) >> kDroppedBits;
}

}  // namespace

Half to_half(float value) {
  const std::uint32_t sign = (std::bit_cast<std::uint32_t>(value) >> 16U) & 0x8000U;
  const float magnitude = std::abs(value);
  std::uint32_t bits = kNan;
  if (magnitude >= kOverflow) bits = kInfinity;
  // Below, the numbers are multiples of the least one; nearbyint rounds ties to even.
  if (magnitude < kLeastNormal) bits = static_cast<std::uint32_t>(std::nearbyint(magnitude / kLeastPositive));
  if (magnitude >= kLeastNormal && magnitude < kOverflow) bits = normal_bits(magnitude);
  return {static_cast<std::uint16_t>(sign | bits)};
}

float to_float(Half value) {
  const std::uint32_t sign = (value.bits & 0x8000U) << 16U;
  const std::uint32_t rest = value.bits & 0x7fffU;
  const auto with_sign = [&](std::uint32_t magnitude) { return std::bit_cast<float>(sign | magnitude); };
  if (rest >= kInfinity) return with_sign(0x7f800000U | ((rest & 0x3ffU) << kDroppedBits));
  if (rest < 0x400U)
    return with_sign(std::bit_cast<std::uint32_t>(static_cast<float>(rest) * kLeastPositive));
  return with_sign((rest << kDroppedBits) + kBiasChange);
}

}  // namespace regulus::storage
