#pragma once

#include <cuda_bf16.h>
#include <mma.h>

#include <type_traits>

/// Products of 16 x 16 tiles by the warp's tensor cores, with float32 sums.
namespace regulus::backbone::cuda {

namespace wmma = nvcuda::wmma;

constexpr int kTile = 16;  // edge of a sum's tile

/// The right operand of a product as it lies in memory.
using AsIs = wmma::row_major;        // b[k][n]
using Transposed = wmma::col_major;  // b[n][k]

template <typename T>
struct TensorCore;

template <>
struct TensorCore<__nv_bfloat16> {
  static constexpr int kDepth = 16;
  using Sum = wmma::fragment<wmma::accumulator, kTile, kTile, kDepth, float>;

  /// sum += a[16 x 16] · b[16 x 16]
  template <typename Layout>
  static __device__ void multiply_add(Sum& sum, const __nv_bfloat16* a, int a_stride, const __nv_bfloat16* b,
                                      int b_stride) {
    wmma::fragment<wmma::matrix_a, kTile, kTile, kDepth, __nv_bfloat16, wmma::row_major> left;
    wmma::fragment<wmma::matrix_b, kTile, kTile, kDepth, __nv_bfloat16, Layout> right;
    wmma::load_matrix_sync(left, a, a_stride);
    wmma::load_matrix_sync(right, b, b_stride);
    wmma::mma_sync(sum, left, right, sum);
  }
};

/// float32 = high + low, each of TF32's 11 bits, so that three products leave an error of float32's size.
template <>
struct TensorCore<float> {
  static constexpr int kDepth = 8;
  using Sum = wmma::fragment<wmma::accumulator, kTile, kTile, kDepth, float>;

  /// sum += a[16 x 8] · b[8 x 16]
  template <typename Layout>
  static __device__ void multiply_add(Sum& sum, const float* a, int a_stride, const float* b, int b_stride) {
    using Left = wmma::fragment<wmma::matrix_a, kTile, kTile, kDepth, wmma::precision::tf32, wmma::row_major>;
    using Right = wmma::fragment<wmma::matrix_b, kTile, kTile, kDepth, wmma::precision::tf32, Layout>;
    Left left, left_low;
    Right right, right_low;
    wmma::load_matrix_sync(left, a, a_stride);
    wmma::load_matrix_sync(right, b, b_stride);
    split(left, left_low);
    split(right, right_low);
    wmma::mma_sync(sum, left_low, right, sum);
    wmma::mma_sync(sum, left, right_low, sum);
    wmma::mma_sync(sum, left, right, sum);
  }

 private:
  template <typename Fragment>
  static __device__ void split(Fragment& high, Fragment& low) {
#pragma unroll
    for (int i = 0; i < high.num_elements; ++i) {
      const float value = high.x[i];
      high.x[i] = wmma::__float_to_tf32(value);
      low.x[i] = wmma::__float_to_tf32(value - high.x[i]);
    }
  }
};

/// sum += a[16 x Depth] · b[Depth x 16]; strides in elements, both pointers on 32 bytes.
template <int Depth, typename Layout, typename T>
__device__ void multiply_add(typename TensorCore<T>::Sum& sum, const T* a, int a_stride, const T* b,
                             int b_stride) {
  static_assert(Depth % TensorCore<T>::kDepth == 0);
  constexpr bool kTransposed = std::is_same_v<Layout, Transposed>;
#pragma unroll
  for (int k = 0; k < Depth; k += TensorCore<T>::kDepth)
    TensorCore<T>::template multiply_add<Layout>(sum, a + k, a_stride, kTransposed ? b + k : b + k * b_stride,
                                                 b_stride);
}

}  // namespace regulus::backbone::cuda
