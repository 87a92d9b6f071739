#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

namespace regulus::backbone {

/// Rows of q, k and v of one head, L of each.
template <typename T>
struct HeadRows {
  const T* q;
  const T* k;
  const T* v;
};

/// Attention of one head around one primal, with the tangents of any number of directions:
/// A = softmax(QKᵀ/√d_h), O = AV, Ȯ = (A∘Ṡ)V + AV̇ − rowsum(A∘Ṡ)∘O, Ṡ = (Q̇Kᵀ + QK̇ᵀ)/√d_h.
template <typename T>
struct HeadAttention {
  std::int64_t length;         ///< L
  std::int64_t width;          ///< d_h
  std::int64_t input_stride;   ///< between rows of q, k, v and their tangents, in elements
  std::int64_t output_stride;  ///< between rows of O and Ȯ, in elements
  HeadRows<T> primal;
  std::span<const HeadRows<T>> tangents;  ///< one for each direction, maybe none
  T* context;                             ///< O; null if given
  const T* given_context;                 ///< O, known already; null if it is to be computed
  std::span<T* const> context_tangents;   ///< Ȯ of each direction
};

/// Memory of one thread, reused by every head: O(L·d_h) for each direction, no L x L matrix.
class AttentionScratch {
 public:
  /// At least `bytes` bytes, aligned for vectors; the contents of earlier calls are lost.
  std::byte* reserve(std::size_t bytes);

 private:
  struct Release {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Release> memory_;
  std::size_t bytes_ = 0;
};

/// Evaluates one head. The result depends on the head's numbers and on the instruction set that was chosen at
/// run time (its last bits only), never on threads or on what else is computed. A value that is not finite
/// makes the outputs that depend on it not finite.
void attend_head(const HeadAttention<float>& head, AttentionScratch& scratch);
void attend_head(const HeadAttention<double>& head, AttentionScratch& scratch);

/// Instruction sets the kernel is compiled for and this machine has, as Highway's bits, best first.
std::vector<std::int64_t> attention_targets();

}  // namespace regulus::backbone
