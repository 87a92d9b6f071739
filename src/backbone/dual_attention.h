#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace regulus::backbone {

/// Multi-head attention of B states and its tangents, streamed over blocks of queries: no L x L matrix is
/// kept. With A = softmax(S) and S = QKᵀ/√d_h:  Ṡ = (Q̇Kᵀ + QK̇ᵀ)/√d_h,  O = AV,  Ȯ = (A∘Ṡ)V + AV̇ −
/// rowsum(A∘Ṡ)∘O. Packed projections hold q | k | v along the last axis, heads in order. All tensors are
/// contiguous and on one device. Projections are float32 or float64 with results of the same type, or
/// bfloat16 (the operands of the products; softmax and sums are float32) with float32 results. The CPU's
/// kernel serves float32 and float64 there, the CUDA kernel float32 and bfloat16 where it is built and suits
/// the device, and plain ATen operations (attention_aten.h) the rest.

/// \param qkv [B, L, 3d] \param out [B, L, d], overwritten
void attend(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out);

/// \param qkv [2, B, L, 3d]: primal, tangent \param out [2, B, L, d], overwritten
void attend_dual(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out);

/// Tangents of B directions around one shared primal: A is computed once for several of them.
/// \param qkv [L, 3d] primal \param qkv_tangent [B, L, 3d] \param context [L, d] the primal's O
/// \param out [B, L, d], overwritten
void attend_tangents(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                     std::int64_t heads, at::Tensor& out);

/// A itself, only the columns of some keys: mean over heads of what every query pays to them.
/// \param qkv [L, 3d] \param keys [B] int64 positions \param out [B, L], overwritten
void attention_columns(const at::Tensor& qkv, std::int64_t heads, const at::Tensor& keys, at::Tensor& out);

}  // namespace regulus::backbone
