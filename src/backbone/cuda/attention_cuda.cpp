#include "attention_cuda.h"

#include <c10/core/DeviceGuard.h>

#include <string>

#include "dual_attention.h"
#include "regulus/core/error.h"

namespace regulus::backbone {

namespace {

cuda::Operand operand_of(const at::Tensor& qkv) {
  return qkv.scalar_type() == at::kFloat ? cuda::Operand::Float32 : cuda::Operand::BFloat16;
}

/// \param qkv [L, 3d] for all states, or [B, L, 3d]
cuda::Projections projections(const at::Tensor& qkv) {
  return {qkv.data_ptr(), qkv.dim() == 3 ? qkv.stride(0) : 0};
}

cuda::DualAttention task_of(const at::Tensor& qkv, std::int64_t heads, std::int64_t states) {
  cuda::DualAttention task;
  task.operand = operand_of(qkv);
  task.states = states;
  task.heads = heads;
  task.length = qkv.size(-2);
  task.width = qkv.size(-1) / (3 * heads);
  return task;
}

/// On LibTorch's default stream, which is CUDA's: regulus never sets another.
void launch(const cuda::DualAttention& task, const at::Tensor& qkv) {
  const c10::DeviceGuard guard(qkv.device());
  const cudaError_t error = cuda::attend(task, nullptr);
  if (error != cudaSuccess)
    throw Error(ErrorKind::Internal, std::string("the attention kernel: ") + cudaGetErrorString(error),
                qkv.device().str(), "use --device cpu");
}

}  // namespace

bool runs_on_cuda(const at::Tensor& qkv, std::int64_t heads) {
  const bool type = qkv.scalar_type() == at::kFloat || qkv.scalar_type() == at::kBFloat16;
  if (!qkv.is_cuda() || !type) return false;
  const c10::DeviceGuard guard(qkv.device());
  return cuda::supports(operand_of(qkv), qkv.size(-1) / (3 * heads));
}

void attend_cuda(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  cuda::DualAttention task = task_of(qkv, heads, qkv.size(0));
  task.primal = projections(qkv);
  task.context = out.data_ptr<float>();
  launch(task, qkv);
}

void attend_dual_cuda(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  cuda::DualAttention task = task_of(qkv, heads, qkv.size(1));
  task.primal = projections(qkv[0]);
  task.tangent = projections(qkv[1]);
  task.context = out[0].data_ptr<float>();
  task.context_tangent = out[1].data_ptr<float>();
  launch(task, qkv);
}

void attend_tangents_cuda(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                          std::int64_t heads, at::Tensor& out) {
  cuda::DualAttention task = task_of(qkv, heads, qkv_tangent.size(0));
  task.primal = projections(qkv);
  task.tangent = projections(qkv_tangent);
  task.given_context = context.data_ptr<float>();
  task.context_tangent = out.data_ptr<float>();
  launch(task, qkv);
}

}  // namespace regulus::backbone
