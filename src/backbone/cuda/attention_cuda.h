#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace regulus::backbone {

/// The functions of dual_attention.h by the CUDA kernel, for tensors on a CUDA device.

/// Whether the kernel takes these projections: float32 or bfloat16, heads of up to 128, a device that suits.
bool runs_on_cuda(const at::Tensor& qkv, std::int64_t heads);

void attend_cuda(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out);
void attend_dual_cuda(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out);
void attend_tangents_cuda(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                          std::int64_t heads, at::Tensor& out);

}  // namespace regulus::backbone
