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

constexpr double kLog2E = 1.4426950408889634074;  // scores are exponents of 2

/// 2ʳ for |r| ≤ 1/2 as 1 + c₁r + c₂r² + …, interpolated at Chebyshev nodes.
template <typename T>
struct Exp2;

template <>
struct Exp2<float> {
  static constexpr float kMagic = 12582912.0F + 127.0F;  // 1.5 * 2^23: adding it rounds to integers
  static constexpr float kLowest = -100.0F;              // 2^-100 vanishes beside the largest weight, 1
  static constexpr float kSafe = 60.0F;  // sums of 2^±60 stay well within the range of numbers
  static constexpr int kMantissaBits = 23;
  static constexpr float kCoefficients[] = {0.693147188F,   0.240226508F,   0.0555035711F,
                                            0.00961808256F, 0.00133908634F, 0.000154531629F};
};

template <>
struct Exp2<double> {
  static constexpr double kMagic = 6755399441055744.0 + 1023.0;  // 1.5 * 2^52
  static constexpr double kLowest = -900.0;
  static constexpr double kSafe = 500.0;
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
    HWY_UNROLL(4)
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
    const V lowest = hn::Set(D(), Exp2<T>::kLowest);
    return safe_exp2(hn::IfThenElse(hn::Lt(x, lowest), lowest, x));
  }

  /// 2ˣ where x is no larger than the exponents of T allow.
  static HWY_INLINE V safe_exp2(V x) {
    const Row row = safe_exp2(Row{x, x, x});
    return row.a;
  }

  static HWY_INLINE Row exp2(const Row& x) {
    const V lowest = hn::Set(D(), Exp2<T>::kLowest);
    return safe_exp2(Row{hn::IfThenElse(hn::Lt(x.a, lowest), lowest, x.a),
                         hn::IfThenElse(hn::Lt(x.b, lowest), lowest, x.b),
                         hn::IfThenElse(hn::Lt(x.c, lowest), lowest, x.c)});
  }

  /// The three vectors a step at a time: each step waits for the one before.
  static HWY_INLINE Row safe_exp2(const Row& x) {
    const D d;
    const V magic = hn::Set(d, Exp2<T>::kMagic);
    const Row shifted = {hn::Add(x.a, magic), hn::Add(x.b, magic), hn::Add(x.c, magic)};
    const Row whole = {hn::Sub(shifted.a, magic), hn::Sub(shifted.b, magic), hn::Sub(shifted.c, magic)};
    const Row r = minus(x, whole);
    constexpr std::size_t kDegree = std::size(Exp2<T>::kCoefficients);
    const V last = hn::Set(d, Exp2<T>::kCoefficients[kDegree - 1]);
    Row p = {last, last, last};
    HWY_UNROLL(12)
    for (std::size_t k = kDegree - 1; k > 0; --k) p = step(p, r, Exp2<T>::kCoefficients[k - 1]);
    p = step(p, r, T(1));
    return {hn::Mul(p.a, power(shifted.a)), hn::Mul(p.b, power(shifted.b)), hn::Mul(p.c, power(shifted.c))};
  }

  /// to[c][i] = factor · row_at(i)[c]. \param to_stride between its rows
  template <typename RowAt>
  static HWY_INLINE void transpose(RowAt row_at, std::size_t rows, std::size_t columns, T factor, T* to,
                                   std::size_t to_stride) {
    std::size_t i = 0;
    for (; i + kRows <= rows; i += kRows)
      transpose_four(row_at(i), row_at(i + 1), row_at(i + 2), row_at(i + 3), columns, factor, to + i,
                     to_stride);
    for (; i < rows; ++i)
      for (std::size_t c = 0; c < columns; ++c) to[c * to_stride + i] = factor * row_at(i)[c];
  }

 private:
  /// Of Horner's scheme.
  static HWY_INLINE Row step(const Row& p, const Row& r, T coefficient) {
    const V c = hn::Set(D(), coefficient);
    return {hn::MulAdd(p.a, r.a, c), hn::MulAdd(p.b, r.b, c), hn::MulAdd(p.c, r.c, c)};
  }

  /// 2ⁿ from n + magic.
  static HWY_INLINE V power(V shifted) {
    const hn::RebindToUnsigned<D> integers;
    return hn::BitCast(D(), hn::ShiftLeft<Exp2<T>::kMantissaBits>(hn::BitCast(integers, shifted)));
  }

  static HWY_INLINE void transpose_four(const T* row0, const T* row1, const T* row2, const T* row3,
                                        std::size_t columns, T factor, T* to, std::size_t to_stride) {
    std::size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (sizeof(T) == 4) {  // four lanes everywhere
      const hn::FixedTag<T, 4> d;
      const auto scale = hn::Set(d, factor);
      for (; c + 4 <= columns; c += 4) {
        const auto r0 = hn::Mul(scale, hn::LoadU(d, row0 + c));
        const auto r1 = hn::Mul(scale, hn::LoadU(d, row1 + c));
        const auto r2 = hn::Mul(scale, hn::LoadU(d, row2 + c));
        const auto r3 = hn::Mul(scale, hn::LoadU(d, row3 + c));
        const auto low01 = hn::InterleaveLower(d, r0, r1);
        const auto low23 = hn::InterleaveLower(d, r2, r3);
        const auto high01 = hn::InterleaveUpper(d, r0, r1);
        const auto high23 = hn::InterleaveUpper(d, r2, r3);
        T* const place = to + c * to_stride;
        store_pairs(low01, low23, place, to_stride);
        store_pairs(high01, high23, place + 2 * to_stride, to_stride);
      }
    }
#endif
    for (; c < columns; ++c) {
      T* const place = to + c * to_stride;
      place[0] = factor * row0[c];
      place[1] = factor * row1[c];
      place[2] = factor * row2[c];
      place[3] = factor * row3[c];
    }
  }

#if HWY_TARGET != HWY_SCALAR
  template <typename Four>
  static HWY_INLINE void store_pairs(Four first, Four second, T* to, std::size_t to_stride) {
    const hn::FixedTag<T, 4> d;
    hn::StoreU(hn::ConcatLowerLower(d, second, first), d, to);
    hn::StoreU(hn::ConcatUpperUpper(d, second, first), d, to + to_stride);
  }
#endif
};

}  // namespace HWY_NAMESPACE
}  // namespace regulus::backbone
HWY_AFTER_NAMESPACE();

#endif  // once for each instruction set
