#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aligned_buffer.h"

namespace regulus::backbone {

/// Rows of q, k and v of one head.
template <typename T>
struct HeadRows {
  const T* q;
  const T* k;
  const T* v;
  std::int64_t query_stride;  ///< between rows of q, in elements
  std::int64_t key_stride;    ///< between rows of k, and of v
};

/// Attention of one head around one primal, with the tangents of any number of directions:
/// A = softmax(QKᵀ/√d_h), O = AV, Ȯ = (A∘Ṡ)V + AV̇ − rowsum(A∘Ṡ)∘O, Ṡ = (Q̇Kᵀ + QK̇ᵀ)/√d_h.
template <typename T>
struct HeadAttention {
  std::int64_t queries;          ///< rows of q, O and Ȯ
  std::int64_t keys;             ///< attended keys; with none of them, O and Ȯ are 0
  const std::int64_t* key_rows;  ///< rows of k and v of the attended keys; null for 0, 1, 2, …
  std::int64_t width;            ///< d_h
  HeadRows<T> primal;
  std::span<const HeadRows<T>> tangents;  ///< one for each direction, maybe none
  std::int64_t output_stride;             ///< between rows of O and Ȯ, in elements
  T* context;                             ///< O; null if given
  const T* given_context;                 ///< O, known already; null if it is to be computed
  std::span<T* const> context_tangents;   ///< Ȯ of each direction
  T* log_sums;  ///< [queries] log₂ Σ exp(S), what a weight needs to be found again; null if not wanted
};

/// Evaluates one head with O(L·d_h) of the buffer for each direction. The result depends on the head's
/// numbers and on the instruction set that was chosen at run time (its last bits only), never on threads or
/// on what else is computed. A value that is not finite makes the outputs that depend on it not finite.
void attend_head(const HeadAttention<float>& head, AlignedBuffer& scratch);
void attend_head(const HeadAttention<double>& head, AlignedBuffer& scratch);

/// Instruction sets the kernels are compiled for and this machine has, as Highway's bits, best first.
std::vector<std::int64_t> attention_targets();

}  // namespace regulus::backbone
