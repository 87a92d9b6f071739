#include "regulus/storage/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace regulus::storage {
namespace {

TEST(Half, EveryNumberSurvivesTheWayThereAndBack) {
  for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const Half half{static_cast<std::uint16_t>(bits)};
    const float value = to_float(half);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(to_float(to_half(value)))) << bits;
    else
      EXPECT_EQ(to_half(value).bits, bits);
  }
}

/// Against the definition: sign, 2^(exponent - 15), 1.fraction; exponent 0 is 0.fraction at 2^-14.
TEST(Half, ValuesAreThoseOfTheDefinition) {
  for (int bits = 0; bits < 0x7c00; ++bits) {
    const int exponent = bits >> 10;
    const double fraction = (bits & 0x3ff) / 1024.0;
    const double expected =
        exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1.0 + fraction, exponent - 15);
    EXPECT_EQ(static_cast<double>(to_float({static_cast<std::uint16_t>(bits)})), expected);
    EXPECT_EQ(static_cast<double>(to_float({static_cast<std::uint16_t>(bits | 0x8000)})), -expected);
  }
}

/// Between neighbours the nearer one, at the middle the even one.
TEST(Half, RoundsToTheNearest) {
  for (std::uint16_t low = 0; low < 0x7bff; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const float middle = 0.5F * (to_float({low}) + to_float({high}));
    EXPECT_EQ(to_half(middle).bits, low % 2 == 0 ? low : high);
    EXPECT_EQ(to_half(std::nextafter(middle, 0.0F)).bits, low);
    EXPECT_EQ(to_half(std::nextafter(middle, 1e6F)).bits, high);
    EXPECT_EQ(to_half(-std::nextafter(middle, 1e6F)).bits, high | 0x8000);
  }
}

TEST(Half, OutOfRangeIsInfinity) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_float(to_half(65519.0F)), 65504.0F);
  EXPECT_EQ(to_float(to_half(65520.0F)), kInfinity);
  EXPECT_EQ(to_float(to_half(-1e30F)), -kInfinity);
  EXPECT_EQ(to_float(to_half(kInfinity)), kInfinity);
  EXPECT_TRUE(std::signbit(to_float(to_half(-0.0F))));
}

}  // namespace
}  // namespace regulus::storage
