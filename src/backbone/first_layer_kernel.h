#pragma once

#include <cstdint>
#include <span>

#include "aligned_buffer.h"
#include "attention_kernel.h"

namespace regulus::backbone {

/// A state in the first layer: the panel's background with the row of one position replaced. Projections are
/// those of the new row, one head's part of them.
template <typename T>
struct ReplacedRow {
  std::int64_t position;
  bool attended;  ///< whether the position is a key at all
  const T *q, *k, *v;
  const T *q_tangent, *k_tangent, *v_tangent;  ///< null if there is no direction
  T* context;                                  ///< O of the queries; null if not wanted
  T* context_tangent;                          ///< Ȯ; null if there is no direction
};

/// One head of the first layer of states that share all rows but one.
template <typename T>
struct FirstLayerHead {
  std::int64_t first_query, queries;  ///< rows whose O and Ȯ are wanted
  std::int64_t keys;                  ///< attended keys
  const std::int64_t* key_rows;       ///< their rows; null for 0, 1, 2, …
  std::int64_t width;                 ///< d_h
  HeadRows<T> base;                   ///< all rows of the background
  const T* context;                   ///< the background's O, all rows
  std::int64_t context_stride;
  const T* log_sums;  ///< the background's log₂ Σ exp(S), all rows
  std::span<const ReplacedRow<T>> states;
  std::int64_t output_stride;  ///< between rows of a state's O and Ȯ
};

/// Attention of the states from the background's: with a = A_ji of the old and a' of the new row i,
/// O' = (1 − a')/(1 − a)·(O − a v_i) + a' v'_i  and  Ȯ' = a'(v̇_i + Ṡ_ji (v'_i − O')),  Ṡ_ji = q_j·k̇_i/√d_h:
/// O(L·d_h) for each state. Query i itself, and queries that paid more than half of their attention to i
/// (where the difference O − a v_i would lose digits), are evaluated afresh.
void attend_replaced(const FirstLayerHead<float>& head, AlignedBuffer& scratch);
void attend_replaced(const FirstLayerHead<double>& head, AlignedBuffer& scratch);

}  // namespace regulus::backbone
