#pragma once

#include <cstdint>

namespace regulus::backbone {

/// A layer norm's affine part.
template <typename T>
struct NormWeights {
  const T* weight;  ///< [width]
  const T* bias;    ///< [width]
};

/// What the tangents of a layer norm need of the primal.
template <typename T>
struct NormRecord {
  T* normalised;  ///< [rows, width] x̂ before the affine part; null if not wanted
  T* scale;       ///< [rows] 1/σ
};

/// Residual sum and layer norm, eps 1e-5.
template <typename T>
struct ResidualNorm {
  std::int64_t rows, width;
  T* x;
  T* tangent;  ///< ẋ; null for none
  const T* update;
  const T* update_tangent;
  const T* update_bias;
  NormWeights<T> norm;
  NormRecord<T> record;
};

/// What lies between the matrix products of a layer, each in one pass over memory. Rows are contiguous, one
/// after the other.
template <typename T>
struct FusedOps {
  /// x += bias. \param x [rows, width]
  void (*add_bias)(T* x, std::int64_t rows, std::int64_t width, const T* bias);

  /// x = max(z, slope·z) with z = x + bias, and ẋ times the derivative at z, which follows torch at 0: slope.
  /// \param tangent null for none \param slopes [rows, width] receives the derivative; null if not wanted
  void (*rectify)(T* x, T* tangent, std::int64_t rows, std::int64_t width, const T* bias, T slope, T* slopes);

  /// ẋ times slopes recorded by rectify(). \param slopes [primal_rows, width]; they serve every primal_rows
  /// rows of ẋ
  void (*rectify_tangent)(T* tangent, std::int64_t rows, std::int64_t width, const T* slopes,
                          std::int64_t primal_rows);

  /// x = norm(z) with z = x + update + bias, and ẋ = (ż − mean(ż) − x̂∘mean(x̂∘ż))/σ ∘ w with ż = ẋ +
  /// update_tangent.
  void (*add_and_normalise)(const ResidualNorm<T>& step);

  /// The same ẋ around a primal that add_and_normalise() recorded. \param record of primal_rows rows, which
  /// serve every primal_rows rows of ẋ
  void (*normalise_tangent)(T* tangent, const T* update, std::int64_t rows, std::int64_t width,
                            const NormWeights<T>& norm, const NormRecord<T>& record,
                            std::int64_t primal_rows);
};

/// For this machine's instruction set. \tparam T float or double
template <typename T>
const FusedOps<T>& fused_ops();

template <>
const FusedOps<float>& fused_ops<float>();
template <>
const FusedOps<double>& fused_ops<double>();

}  // namespace regulus::backbone
