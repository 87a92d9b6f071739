#pragma once

#include <cuda_bf16.h>

#include "tensor_core.cuh"

/// What a thread block of the attention kernel holds in shared memory.
namespace regulus::backbone::cuda {

constexpr int kLanes = 32;
constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kLanes;
constexpr int kQueries = kWarps * kTile;
constexpr int kKeys = 32;

constexpr int kScoreStride = kKeys + 4;  // floats; 4 more, against bank conflicts

enum class Mode {
  Primal,   // O
  Dual,     // O and Ȯ
  Tangent,  // Ȯ, with O given
};

template <Mode mode>
constexpr bool kHasTangent = mode != Mode::Primal;
template <Mode mode>
constexpr bool kSumsContext = mode != Mode::Tangent;

/// Rows of one operand, padded by 32 bytes against bank conflicts.
template <typename T, int Rows, int Width>
struct Matrix {
  static constexpr int kStride = Width + 32 / static_cast<int>(sizeof(T));
  T values[Rows][kStride];
};

/// What the products of one head need, with heads padded by zeros to Width.
template <typename T, int Width, bool tangent>
struct Operands {
  Matrix<T, kQueries, Width> q;
  Matrix<T, kKeys, Width> k, v;
};

template <typename T, int Width>
struct Operands<T, Width, true> : Operands<T, Width, false> {
  Matrix<T, kQueries, Width> q_tangent;
  Matrix<T, kKeys, Width> k_tangent, v_tangent;
};

/// Scores of 16 queries, and after the softmax the weights as operands in the same rows.
template <typename T>
struct Scores {
  float values[kTile][kScoreStride];

  static constexpr int kWeightStride = kScoreStride * static_cast<int>(sizeof(float) / sizeof(T));
  __device__ T* weights() { return reinterpret_cast<T*>(values); }
};

/// One warp's own memory.
template <typename T, bool tangent>
struct WarpMemory {
  Scores<T> scores;
  float tile[kTile][kTile];
};

template <typename T>
struct WarpMemory<T, true> : WarpMemory<T, false> {
  Scores<T> score_tangents;
};

template <typename T, int Width, Mode mode>
struct Shared {
  Operands<T, Width, kHasTangent<mode>> operands;
  WarpMemory<T, kHasTangent<mode>> warps[kWarps];
};

// What load_matrix_sync and store_matrix_sync ask of pointers (32 bytes) and strides (16 bytes).
static_assert(sizeof(Scores<float>) % 32 == 0 && sizeof(WarpMemory<float, false>) % 32 == 0 &&
              sizeof(WarpMemory<float, true>) % 32 == 0);
static_assert(kScoreStride * sizeof(float) % 16 == 0);
static_assert(sizeof(Matrix<float, kKeys, 16>) % 32 == 0 &&
              sizeof(Matrix<__nv_bfloat16, kKeys, 16>) % 32 == 0);

}  // namespace regulus::backbone::cuda
