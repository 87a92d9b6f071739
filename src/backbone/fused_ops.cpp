#include "fused_ops.h"

#include <cmath>
#include <cstddef>

#include "simd_targets.h"

// Everything up to HWY_AFTER_NAMESPACE is compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backbone/fused_ops.cpp"
#include <hwy/foreach_target.h>  // before highway.h
// clang-format off: after foreach_target.h
#include <hwy/highway.h>

#include "backbone/columns-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace regulus::backbone {
namespace HWY_NAMESPACE {

template <typename T>
constexpr T kNormEpsilon = T(1e-5);

template <typename T>
void add_bias(T* x, std::int64_t rows, std::int64_t width, const T* bias) {
  const auto n = static_cast<std::size_t>(width);
  for (T* const end = x + rows * width; x != end; x += width)
    for_columns<T>(n, [=](auto d, std::size_t c) HWY_ATTR {
      hn::StoreU(hn::Add(hn::LoadU(d, x + c), hn::LoadU(d, bias + c)), d, x + c);
    });
}

template <typename T>
void rectify(T* x, T* tangent, std::int64_t rows, std::int64_t width, const T* bias, T slope, T* slopes) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t at = row * width;
    T* const value = x + at;
    T* const change = tangent == nullptr ? nullptr : tangent + at;
    T* const record = slopes == nullptr ? nullptr : slopes + at;
    for_columns<T>(static_cast<std::size_t>(width), [=](auto d, std::size_t c) HWY_ATTR {
      const auto z = hn::Add(hn::LoadU(d, value + c), hn::LoadU(d, bias + c));
      const auto derivative = hn::IfThenElse(hn::Gt(z, hn::Zero(d)), hn::Set(d, T(1)), hn::Set(d, slope));
      hn::StoreU(hn::Mul(z, derivative), d, value + c);
      if (change != nullptr) hn::StoreU(hn::Mul(hn::LoadU(d, change + c), derivative), d, change + c);
      if (record != nullptr) hn::StoreU(derivative, d, record + c);
    });
  }
}

template <typename T>
void rectify_tangent(T* tangent, std::int64_t rows, std::int64_t width, const T* slopes,
                     std::int64_t primal_rows) {
  const std::int64_t period = primal_rows * width;
  for (std::int64_t begin = 0; begin < rows * width; begin += period) {
    T* const x = tangent + begin;
    for_columns<T>(static_cast<std::size_t>(period), [=](auto d, std::size_t c) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::LoadU(d, x + c), hn::LoadU(d, slopes + c)), d, x + c);
    });
  }
}

/// x += update (+ bias). \return the mean of the row
template <typename T>
HWY_INLINE T add_row(T* x, const T* update, const T* bias, std::size_t n) {
  const T sum = sum_columns<T>(n, [=](auto d, std::size_t c) HWY_ATTR {
    auto z = hn::Add(hn::LoadU(d, x + c), hn::LoadU(d, update + c));
    if (bias != nullptr) z = hn::Add(z, hn::LoadU(d, bias + c));
    hn::StoreU(z, d, x + c);
    return z;
  });
  return sum / static_cast<T>(n);
}

template <typename T>
HWY_INLINE T inverse_deviation(const T* z, T mean, std::size_t n) {
  const T squares = sum_columns<T>(n, [=](auto d, std::size_t c) HWY_ATTR {
    const auto centred = hn::Sub(hn::LoadU(d, z + c), hn::Set(d, mean));
    return hn::Mul(centred, centred);
  });
  return T(1) / std::sqrt(squares / static_cast<T>(n) + kNormEpsilon<T>);
}

/// ż -> (ż − mean(ż) − x̂∘mean(x̂∘ż))/σ ∘ w
template <typename T>
HWY_INLINE void normalise_change(T* change, T mean, const T* normalised, T scale, const T* weight,
                                 std::size_t n) {
  const T along = dot(normalised, change, n) / static_cast<T>(n);
  for_columns<T>(n, [=](auto d, std::size_t c) HWY_ATTR {
    const auto centred = hn::Sub(hn::LoadU(d, change + c), hn::Set(d, mean));
    const auto across = hn::NegMulAdd(hn::LoadU(d, normalised + c), hn::Set(d, along), centred);
    const auto factor = hn::Mul(hn::Set(d, scale), hn::LoadU(d, weight + c));
    hn::StoreU(hn::Mul(across, factor), d, change + c);
  });
}

template <typename T>
void add_and_normalise(const ResidualNorm<T>& step) {
  const auto n = static_cast<std::size_t>(step.width);
  for (std::int64_t row = 0; row < step.rows; ++row) {
    const std::int64_t at = row * step.width;
    T* const x = step.x + at;
    const T mean = add_row(x, step.update + at, step.update_bias, n);
    const T scale = inverse_deviation(x, mean, n);
    for_columns<T>(n, [=](auto d, std::size_t c) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::Sub(hn::LoadU(d, x + c), hn::Set(d, mean)), hn::Set(d, scale)), d, x + c);
    });
    if (step.tangent != nullptr) {
      T* const change = step.tangent + at;
      const T shift = add_row<T>(change, step.update_tangent + at, nullptr, n);
      normalise_change<T>(change, shift, x, scale, step.norm.weight, n);
    }
    T* const record = step.record.normalised == nullptr ? nullptr : step.record.normalised + at;
    if (record != nullptr) step.record.scale[row] = scale;
    const NormWeights<T> norm = step.norm;
    for_columns<T>(n, [=](auto d, std::size_t c) HWY_ATTR {
      const auto normalised = hn::LoadU(d, x + c);
      if (record != nullptr) hn::StoreU(normalised, d, record + c);
      hn::StoreU(hn::MulAdd(normalised, hn::LoadU(d, norm.weight + c), hn::LoadU(d, norm.bias + c)), d,
                 x + c);
    });
  }
}

template <typename T>
void normalise_tangent(T* tangent, const T* update, std::int64_t rows, std::int64_t width,
                       const NormWeights<T>& norm, const NormRecord<T>& record, std::int64_t primal_rows) {
  const auto n = static_cast<std::size_t>(width);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t primal = row % primal_rows;
    T* const change = tangent + row * width;
    const T mean = add_row<T>(change, update + row * width, nullptr, n);
    normalise_change<T>(change, mean, record.normalised + primal * width, record.scale[primal], norm.weight,
                        n);
  }
}

template <typename T>
constexpr FusedOps<T> kOps = {.add_bias = add_bias<T>,
                              .rectify = rectify<T>,
                              .rectify_tangent = rectify_tangent<T>,
                              .add_and_normalise = add_and_normalise<T>,
                              .normalise_tangent = normalise_tangent<T>};

const FusedOps<float>& float_ops() {
  return kOps<float>;
}

const FusedOps<double>& double_ops() {
  return kOps<double>;
}

}  // namespace HWY_NAMESPACE
}  // namespace regulus::backbone
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace regulus::backbone {

HWY_EXPORT(float_ops);
HWY_EXPORT(double_ops);

template <>
const FusedOps<float>& fused_ops<float>() {
  return HWY_DYNAMIC_DISPATCH(float_ops)();
}

template <>
const FusedOps<double>& fused_ops<double>() {
  return HWY_DYNAMIC_DISPATCH(double_ops)();
}

}  // namespace regulus::backbone
#endif  // HWY_ONCE
