#include "dual_attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace regulus::backbone {

namespace {

/// Queries handled at once: a block of scores (64 x L) stays in the L2 cache at the panel lengths of the
/// field.
constexpr std::int64_t kQueryBlock = 64;

/// q, k and v of one head, each [L, d_h], as views of a packed [L, 3d] projection.
struct Head {
  Head(const at::Tensor& packed, std::int64_t heads, std::int64_t head) {
    const std::int64_t d = packed.size(-1) / 3;
    const std::int64_t width = d / heads;
    q = packed.narrow(-1, head * width, width);
    k = packed.narrow(-1, d + head * width, width);
    v = packed.narrow(-1, 2 * d + head * width, width);
  }
  at::Tensor q, k, v;
};

at::Tensor head_of(const at::Tensor& values, std::int64_t heads, std::int64_t head) {
  const std::int64_t width = values.size(-1) / heads;
  return values.narrow(-1, head * width, width);
}

/// Buffers of one thread, reused for every block.
class Block {
 public:
  Block(std::int64_t length, const at::TensorOptions& options)
      : length_(length),
        scores_(at::empty({kQueryBlock, length}, options)),
        weights_(at::empty({kQueryBlock, length}, options)),
        score_tangents_(at::empty({kQueryBlock, length}, options)) {}

  /// Calls visit(first query, number of queries) for every block.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::int64_t begin = 0; begin < length_; begin += kQueryBlock)
      visit(begin, std::min(kQueryBlock, length_ - begin));
  }

  /// A of queries [begin, begin + count).
  at::Tensor softmax(const Head& head, std::int64_t begin, std::int64_t count) {
    at::Tensor scores = scores_.narrow(0, 0, count);
    at::Tensor weights = weights_.narrow(0, 0, count);
    multiply(scores, head.q.narrow(0, begin, count), head.k.t(), 0.0, scale(head));
    at::_softmax_out(weights, scores, -1, false);
    return weights;
  }

  /// A∘Ṡ of the same queries.
  at::Tensor weighted_tangent(const Head& primal, const Head& tangent, const at::Tensor& weights,
                              std::int64_t begin) {
    const std::int64_t count = weights.size(0);
    at::Tensor product = score_tangents_.narrow(0, 0, count);
    multiply(product, tangent.q.narrow(0, begin, count), primal.k.t(), 0.0, scale(primal));
    multiply(product, primal.q.narrow(0, begin, count), tangent.k.t(), 1.0, scale(primal));
    return product.mul_(weights);
  }

  /// out = keep * out + factor * a b
  static void multiply(at::Tensor out, const at::Tensor& a, const at::Tensor& b, double keep, double factor) {
    at::addmm_out(out, out, a, b, keep, factor);
  }

 private:
  static double scale(const Head& head) { return 1.0 / std::sqrt(static_cast<double>(head.q.size(-1))); }

  std::int64_t length_;
  at::Tensor scores_, weights_, score_tangents_;
};

/// Ȯ of one block of queries, from A, A∘Ṡ and O.
void context_tangent(at::Tensor out, const at::Tensor& context, const at::Tensor& weights,
                     const at::Tensor& weighted_tangent, const at::Tensor& v, const at::Tensor& v_tangent) {
  Block::multiply(out, weighted_tangent, v, 0.0, 1.0);
  Block::multiply(out, weights, v_tangent, 1.0, 1.0);
  out.addcmul_(weighted_tangent.sum(-1, true), context, -1.0);
}

}  // namespace

void attend(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  at::parallel_for(0, qkv.size(0) * heads, 1, [&](std::int64_t first, std::int64_t last) {
    Block block(qkv.size(1), qkv.options());
    for (std::int64_t unit = first; unit < last; ++unit) {
      const std::int64_t state = unit / heads;
      const Head head(qkv[state], heads, unit % heads);
      at::Tensor context = head_of(out[state], heads, unit % heads);
      block.for_each([&](std::int64_t begin, std::int64_t count) {
        Block::multiply(context.narrow(0, begin, count), block.softmax(head, begin, count), head.v, 0.0, 1.0);
      });
    }
  });
}

void attend_dual(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  at::parallel_for(0, qkv.size(1) * heads, 1, [&](std::int64_t first, std::int64_t last) {
    Block block(qkv.size(2), qkv.options());
    for (std::int64_t unit = first; unit < last; ++unit) {
      const std::int64_t state = unit / heads;
      const Head primal(qkv[0][state], heads, unit % heads);
      const Head tangent(qkv[1][state], heads, unit % heads);
      at::Tensor context = head_of(out[0][state], heads, unit % heads);
      at::Tensor context_dot = head_of(out[1][state], heads, unit % heads);
      block.for_each([&](std::int64_t begin, std::int64_t count) {
        const at::Tensor weights = block.softmax(primal, begin, count);
        const at::Tensor weighted = block.weighted_tangent(primal, tangent, weights, begin);
        at::Tensor rows = context.narrow(0, begin, count);
        Block::multiply(rows, weights, primal.v, 0.0, 1.0);
        context_tangent(context_dot.narrow(0, begin, count), rows, weights, weighted, primal.v, tangent.v);
      });
    }
  });
}

void attend_tangents(const at::Tensor& qkv, const at::Tensor& qkv_tangent, const at::Tensor& context,
                     std::int64_t heads, at::Tensor& out) {
  at::parallel_for(0, heads, 1, [&](std::int64_t first, std::int64_t last) {
    Block block(qkv.size(0), qkv.options());
    for (std::int64_t h = first; h < last; ++h) {
      const Head primal(qkv, heads, h);
      const at::Tensor rows = head_of(context, heads, h);
      block.for_each([&](std::int64_t begin, std::int64_t count) {
        const at::Tensor weights = block.softmax(primal, begin, count);
        for (std::int64_t b = 0; b < out.size(0); ++b) {
          const Head tangent(qkv_tangent[b], heads, h);
          const at::Tensor weighted = block.weighted_tangent(primal, tangent, weights, begin);
          context_tangent(head_of(out[b], heads, h).narrow(0, begin, count), rows.narrow(0, begin, count),
                          weights, weighted, primal.v, tangent.v);
        }
      });
    }
  });
}

void attention_columns(const at::Tensor& qkv, std::int64_t heads, const at::Tensor& keys, at::Tensor& out) {
  Block block(qkv.size(0), qkv.options());
  out.zero_();
  for (std::int64_t h = 0; h < heads; ++h) {
    const Head head(qkv, heads, h);
    block.for_each([&](std::int64_t begin, std::int64_t count) {
      const at::Tensor columns = block.softmax(head, begin, count).index_select(1, keys);
      out.narrow(1, begin, count).add_(columns.t());
    });
  }
  out.div_(static_cast<double>(heads));
}

}  // namespace regulus::backbone
