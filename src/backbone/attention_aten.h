#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace regulus::backbone {

/// The functions of dual_attention.h as plain ATen operations, on any device: blocks of queries x all keys,
/// so that memory stays bounded. q, k, v may be of any floating type; with bfloat16 each product takes
/// bfloat16 operands and is rounded to bfloat16 once, while the softmax, sums of products and results are
/// float32.

/// \param qkv [B, L, 3d] \param out [B, L, d], overwritten
void attend_tiles(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out);

/// \param qkv [2, B, L, 3d]: primal, tangent \param out [2, B, L, d], overwritten
void attend_dual_tiles(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out);

/// \param qkv [L, 3d] primal \param qkv_tangent [B, L, 3d] \param context of the primal; not needed here
/// \param out [B, L, d], overwritten
void attend_tangents_tiles(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                           std::int64_t heads, at::Tensor& out);

}  // namespace regulus::backbone
