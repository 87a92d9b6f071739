// Register tiles of the attention kernel, and the exponential on them. Included once for each instruction set
// by Highway's foreach_target.h, hence no #pragma once; private to the module.
#if defined(REGULUS_ATTENTION_TILES) == defined(HWY_TARGET_TOGGLE)
#ifdef REGULUS_ATTENTION_TILES
#undef REGULUS_ATTENTION_TILES
#else
#define REGULUS_ATTENTION_TILES
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <iterator>

HWY_BEFORE_NAMESPACE();
namespace regulus::backbone {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kRows = 4;     // of a register tile
constexpr std::size_t kVectors = 3;  // of a row: 4 x 3 sums, 3 operands and a broadcast fill 16 registers

/// 2ʳ for |r| ≤ 1/2 as 1 + c₁r + c₂r² + …, interpolated at Chebyshev nodes.
template <typename T>
struct Exp2;

template <>
struct Exp2<float> {
  static constexpr float kMagic = 12582912.0F + 127.0F;  // 1.5 * 2^23: adding it rounds to integers
  static constexpr float kLowest = -100.0F;              // 2^-100 vanishes beside the largest weight, 1
  static constexpr int kMantissaBits = 23;
  static constexpr float kCoefficients[] = {0.693147188F,   0.240226508F,   0.0555035711F,
                                            0.00961808256F, 0.00133908634F, 0.000154531629F};
};

template <>
struct Exp2<double> {
  static constexpr double kMagic = 6755399441055744.0 + 1023.0;  // 1.5 * 2^52
  static constexpr double kLowest = -900.0;
  static constexpr int kMantissaBits = 52;
  static constexpr double kCoefficients[] = {
      0.69314718055994529,    0.24022650695910097,    0.055504108664821597,   0.0096181291076068882,
      0.0013333558146416936,  0.0001540353044173605,  1.5252733829836119e-05, 1.3215442587921689e-06,
      1.0178062445845774e-07, 7.0725859492692234e-09, 4.4549605981865186e-10};
};

/// Sums that stay in registers: kRows rows of kVectors vectors, along the queries.
template <typename T>
class Tiles {
 protected:
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;

  /// One row of a register tile: as many queries as `strip()`.
  struct Row {
    V a, b, c;
  };
  struct Tile {
    Row r0, r1, r2, r3;
  };

  static HWY_INLINE std::size_t strip() { return kVectors * hn::Lanes(D()); }

  static HWY_INLINE Row zero_row() { return {hn::Zero(D()), hn::Zero(D()), hn::Zero(D())}; }

  static HWY_INLINE Row load_row(const T* from) {
    const D d;
    const std::size_t n = hn::Lanes(d);
    return {hn::Load(d, from), hn::Load(d, from + n), hn::Load(d, from + 2 * n)};
  }

  static HWY_INLINE void store_row(const Row& row, T* to) {
    const D d;
    const std::size_t n = hn::Lanes(d);
    hn::Store(row.a, d, to);
    hn::Store(row.b, d, to + n);
    hn::Store(row.c, d, to + 2 * n);
  }

  static HWY_INLINE Row times(const Row& x, const Row& y) {
    return {hn::Mul(x.a, y.a), hn::Mul(x.b, y.b), hn::Mul(x.c, y.c)};
  }

  static HWY_INLINE Row plus(const Row& x, const Row& y) {
    return {hn::Add(x.a, y.a), hn::Add(x.b, y.b), hn::Add(x.c, y.c)};
  }

  static HWY_INLINE Row minus(const Row& x, const Row& y) {
    return {hn::Sub(x.a, y.a), hn::Sub(x.b, y.b), hn::Sub(x.c, y.c)};
  }

  static HWY_INLINE Row largest(const Row& x, const Row& y) {
    return {hn::Max(x.a, y.a), hn::Max(x.b, y.b), hn::Max(x.c, y.c)};
  }

  /// sum += factor * row
  static HWY_INLINE void add_product(T factor, const Row& row, Row& sum) {
    const V v = hn::Set(D(), factor);
    sum.a = hn::MulAdd(v, row.a, sum.a);
    sum.b = hn::MulAdd(v, row.b, sum.b);
    sum.c = hn::MulAdd(v, row.c, sum.c);
  }

  /// tile += AᵀB, A [depth][4] packed, B [depth][strip].
  static HWY_INLINE void multiply_add(const T* a, const T* b, std::size_t depth, Tile& tile) {
    const std::size_t n = strip();
    for (std::size_t k = 0; k < depth; ++k, a += kRows, b += n) {
      const Row row = load_row(b);
      add_product(a[0], row, tile.r0);
      add_product(a[1], row, tile.r1);
      add_product(a[2], row, tile.r2);
      add_product(a[3], row, tile.r3);
    }
  }

  static HWY_INLINE Tile load_tile(const T* from) {
    const std::size_t n = strip();
    return {load_row(from), load_row(from + n), load_row(from + 2 * n), load_row(from + 3 * n)};
  }

  static HWY_INLINE void store_tile(const Tile& tile, T* to) {
    const std::size_t n = strip();
    store_row(tile.r0, to);
    store_row(tile.r1, to + n);
    store_row(tile.r2, to + 2 * n);
    store_row(tile.r3, to + 3 * n);
  }

  static HWY_INLINE Tile zero_tile() { return {zero_row(), zero_row(), zero_row(), zero_row()}; }

  /// 2ˣ for x ≤ 0; a NaN stays one.
  static HWY_INLINE V exp2(V x) {
    const D d;
    const hn::RebindToUnsigned<D> integers;
    const V lowest = hn::Set(d, Exp2<T>::kLowest);
    const V magic = hn::Set(d, Exp2<T>::kMagic);
    x = hn::IfThenElse(hn::Lt(x, lowest), lowest, x);
    const V shifted = hn::Add(x, magic);
    const V r = hn::Sub(x, hn::Sub(shifted, magic));
    constexpr std::size_t kDegree = std::size(Exp2<T>::kCoefficients);
    V p = hn::Set(d, Exp2<T>::kCoefficients[kDegree - 1]);
    HWY_UNROLL(12)
    for (std::size_t k = kDegree - 1; k > 0; --k)
      p = hn::MulAdd(p, r, hn::Set(d, Exp2<T>::kCoefficients[k - 1]));
    p = hn::MulAdd(p, r, hn::Set(d, T(1)));
    const auto power = hn::ShiftLeft<Exp2<T>::kMantissaBits>(hn::BitCast(integers, shifted));
    return hn::Mul(p, hn::BitCast(d, power));
  }

  static HWY_INLINE Row exp2(const Row& x) { return {exp2(x.a), exp2(x.b), exp2(x.c)}; }
};

}  // namespace HWY_NAMESPACE
}  // namespace regulus::backbone
HWY_AFTER_NAMESPACE();

#endif  // once for each instruction set
