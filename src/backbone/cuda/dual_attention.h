#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

/// Dual attention on NVIDIA GPUs, compute capability 8.0 or newer. No LibTorch here: raw pointers and a
/// stream.
namespace regulus::backbone::cuda {

/// Operands of the matrix products; sums and the softmax are float32 with both.
enum class Operand {
  Float32,  ///< three TF32 products stand for one: as exact as float32
  BFloat16
};

/// Packed projections of a batch of states: rows q | k | v of 3d elements each, heads in order.
struct Projections {
  const void* data = nullptr;     ///< device memory, aligned as its elements; null for none
  std::int64_t state_stride = 0;  ///< between states, in elements; 0 where all states share one projection
};

/// Attention of `states` x `heads` heads over L positions, and its tangents.
/// With A = softmax(QKᵀ/√w): O = AV and Ȯ = (A∘Ṡ)V + AV̇ − rowsum(A∘Ṡ)∘O, Ṡ = (Q̇Kᵀ + QK̇ᵀ)/√w.
struct DualAttention {
  Operand operand = Operand::Float32;
  std::int64_t states = 0, heads = 0, length = 0, width = 0;  ///< width: w of one head, so d = heads·w
  Projections primal;
  Projections tangent;                   ///< none: O alone
  float* context = nullptr;              ///< O [states, L, d], written; null where it is given
  const float* given_context = nullptr;  ///< O [L, d] of the primal that all states share
  float* context_tangent = nullptr;      ///< Ȯ [states, L, d], written if there is a tangent
};

/// Whether the kernel runs for heads of this width on the current device: at most 128 wide, and its shared
/// memory is there.
bool supports(Operand operand, std::int64_t width);

/// Starts the kernel on the current device. \return cudaErrorInvalidValue for what supports() refuses or
/// more than 65,535 states or heads, else the launch's own error
cudaError_t attend(const DualAttention& task, cudaStream_t stream);

}  // namespace regulus::backbone::cuda
