#include "dual_attention.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "attention_aten.h"
#include "attention_kernel.h"
#ifdef REGULUS_HAVE_CUDA
#include "cuda/attention_cuda.h"
#endif

namespace regulus::backbone {

namespace {

/// Directions that share one evaluation of A: enough to make it cheap beside them, few enough for the caches.
constexpr std::int64_t kDirections = 4;

/// Queries whose columns of A are taken at once.
constexpr std::int64_t kQueryBlock = 64;

/// The heads of one packed projection [L, 3d].
template <typename T>
class Heads {
 public:
  Heads(const at::Tensor& qkv, std::int64_t heads)
      : data_(qkv.data_ptr<T>()), d_(qkv.size(-1) / 3), width_(d_ / heads), length_(qkv.size(-2)) {}

  /// Rows of one head of state `state` in a batch of projections.
  HeadRows<T> rows(std::int64_t state, std::int64_t head) const {
    const T* const q = data_ + state * length_ * 3 * d_ + head * width_;
    return {q, q + d_, q + 2 * d_, 3 * d_, 3 * d_};
  }

  /// Where one head of state `state` lies in a batch of contexts [L, d].
  std::int64_t context_offset(std::int64_t state, std::int64_t head) const {
    return state * length_ * d_ + head * width_;
  }

  /// The attention of one head without directions and results.
  HeadAttention<T> attention(std::int64_t state, std::int64_t head) const {
    return {.queries = length_,
            .keys = length_,
            .key_rows = nullptr,
            .width = width_,
            .primal = rows(state, head),
            .tangents = {},
            .output_stride = d_,
            .context = nullptr,
            .given_context = nullptr,
            .context_tangents = {},
            .log_sums = nullptr};
  }

 private:
  const T* data_;
  std::int64_t d_, width_, length_;
};

/// Calls visit(state, head, scratch) for all of them, shared among the threads.
template <typename Visit>
void for_each_head(std::int64_t states, std::int64_t heads, Visit visit) {
  at::parallel_for(0, states * heads, 1, [&](std::int64_t first, std::int64_t last) {
    AlignedBuffer scratch;
    for (std::int64_t unit = first; unit < last; ++unit) visit(unit / heads, unit % heads, scratch);
  });
}

template <typename T>
void attend_primal(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  const Heads<T> projections(qkv, heads);
  T* const context = out.data_ptr<T>();
  for_each_head(qkv.size(0), heads, [&](std::int64_t state, std::int64_t head, AlignedBuffer& scratch) {
    HeadAttention<T> task = projections.attention(state, head);
    task.context = context + projections.context_offset(state, head);
    attend_head(task, scratch);
  });
}

template <typename T>
void attend_both(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  const std::int64_t states = qkv.size(1);
  const Heads<T> projections(qkv, heads);
  T* const context = out.data_ptr<T>();
  for_each_head(states, heads, [&](std::int64_t state, std::int64_t head, AlignedBuffer& scratch) {
    const HeadRows<T> tangent = projections.rows(states + state, head);
    T* const context_tangent = context + projections.context_offset(states + state, head);
    HeadAttention<T> task = projections.attention(state, head);
    task.tangents = {&tangent, 1};
    task.context = context + projections.context_offset(state, head);
    task.context_tangents = {&context_tangent, 1};
    attend_head(task, scratch);
  });
}

template <typename T>
void attend_directions(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                       std::int64_t heads, at::Tensor& out) {
  const std::int64_t directions = out.size(0);
  const Heads<T> primals(qkv, heads);
  const Heads<T> projections(qkv_tangent, heads);
  const T* const given = context.data_ptr<T>();
  T* const result = out.data_ptr<T>();
  const std::int64_t groups = (directions + kDirections - 1) / kDirections;
  for_each_head(groups, heads, [&](std::int64_t group, std::int64_t head, AlignedBuffer& scratch) {
    const std::int64_t begin = group * kDirections;
    const std::size_t count = static_cast<std::size_t>(std::min(kDirections, directions - begin));
    std::array<HeadRows<T>, kDirections> tangents;
    std::array<T*, kDirections> results;
    for (std::size_t g = 0; g < count; ++g) {
      const std::int64_t direction = begin + static_cast<std::int64_t>(g);
      tangents[g] = projections.rows(direction, head);
      results[g] = result + projections.context_offset(direction, head);
    }
    HeadAttention<T> task = primals.attention(0, head);
    task.tangents = {tangents.data(), count};
    task.given_context = given + primals.context_offset(0, head);
    task.context_tangents = {results.data(), count};
    attend_head(task, scratch);
  });
}

/// A of some queries of one head. \param queries [n, 3d] rows of qkv \param scores [n, L], overwritten
/// \param weights [n, L], overwritten
void softmax(const at::Tensor& qkv, const at::Tensor& queries, std::int64_t heads, std::int64_t head,
             at::Tensor scores, at::Tensor weights) {
  const std::int64_t d = qkv.size(-1) / 3;
  const std::int64_t width = d / heads;
  const at::Tensor keys = qkv.narrow(1, d + head * width, width);
  const double scale = 1.0 / std::sqrt(static_cast<double>(width));
  at::addmm_out(scores, scores, queries.narrow(1, head * width, width), keys.t(), 0.0, scale);
  at::_softmax_out(weights, scores, -1, false);
}

void attend_kernel(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  AT_DISPATCH_FLOATING_TYPES(qkv.scalar_type(), "attend", [&] { attend_primal<scalar_t>(qkv, heads, out); });
}

void attend_dual_kernel(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  AT_DISPATCH_FLOATING_TYPES(qkv.scalar_type(), "attend_dual",
                             [&] { attend_both<scalar_t>(qkv, heads, out); });
}

void attend_tangents_kernel(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                            std::int64_t heads, at::Tensor& out) {
  AT_DISPATCH_FLOATING_TYPES(qkv.scalar_type(), "attend_tangents",
                             [&] { attend_directions<scalar_t>(qkv, qkv_tangent, context, heads, out); });
}

/// One way to evaluate the functions of this header.
struct Routines {
  void (*attend)(const at::Tensor&, std::int64_t, at::Tensor&);
  void (*attend_dual)(const at::Tensor&, std::int64_t, at::Tensor&);
  void (*attend_tangents)(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::int64_t, at::Tensor&);
};

/// The fastest way for projections of this device and type.
Routines routines_for(const at::Tensor& qkv, [[maybe_unused]] std::int64_t heads) {
  if (qkv.is_cpu() && (qkv.scalar_type() == at::kFloat || qkv.scalar_type() == at::kDouble))
    return {attend_kernel, attend_dual_kernel, attend_tangents_kernel};
#ifdef REGULUS_HAVE_CUDA
  if (runs_on_cuda(qkv, heads)) return {attend_cuda, attend_dual_cuda, attend_tangents_cuda};
#endif
  return {attend_tiles, attend_dual_tiles, attend_tangents_tiles};
}

}  // namespace

void attend(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  TORCH_INTERNAL_ASSERT(qkv.is_contiguous() && out.is_contiguous());
  routines_for(qkv, heads).attend(qkv, heads, out);
}

void attend_dual(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  TORCH_INTERNAL_ASSERT(qkv.is_contiguous() && out.is_contiguous());
  routines_for(qkv, heads).attend_dual(qkv, heads, out);
}

void attend_tangents(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                     std::int64_t heads, at::Tensor& out) {
  TORCH_INTERNAL_ASSERT(qkv.is_contiguous() && qkv_tangent.is_contiguous() && context.is_contiguous() &&
                        out.is_contiguous());
  routines_for(qkv, heads).attend_tangents(qkv, qkv_tangent, context, heads, out);
}

void attention_columns(const at::Tensor& qkv, std::int64_t heads, const at::Tensor& keys, at::Tensor& out) {
  const std::int64_t length = qkv.size(0);
  const at::Tensor scores = at::empty({kQueryBlock, length}, qkv.options());
  const at::Tensor weights = at::empty({kQueryBlock, length}, qkv.options());
  out.zero_();
  for (std::int64_t head = 0; head < heads; ++head) {
    for (std::int64_t begin = 0; begin < length; begin += kQueryBlock) {
      const std::int64_t count = std::min(kQueryBlock, length - begin);
      const at::Tensor rows = weights.narrow(0, 0, count);
      softmax(qkv, qkv.narrow(0, begin, count), heads, head, scores.narrow(0, 0, count), rows);
      out.narrow(1, begin, count).add_(rows.index_select(1, keys).t());
    }
  }
  out.div_(static_cast<double>(heads));
}

}  // namespace regulus::backbone
