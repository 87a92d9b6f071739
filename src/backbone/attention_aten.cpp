#include "attention_aten.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace regulus::backbone {

namespace {

/// Scores that are held at once: a processor's cache, or enough to occupy an accelerator.
constexpr std::int64_t kScoresOnCpu = std::int64_t{1} << 18;
constexpr std::int64_t kScoresOnDevice = std::int64_t{1} << 26;

at::ScalarType sum_type(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// q, k and v of every state and head, [states x heads, L, w] each.
struct Units {
  at::Tensor q, k, v;

  std::int64_t count() const { return q.size(0); }
  std::int64_t length() const { return q.size(1); }
  Units narrow(std::int64_t first, std::int64_t units) const {
    return {q.narrow(0, first, units), k.narrow(0, first, units), v.narrow(0, first, units)};
  }
};

/// \param qkv [B, L, 3d]
Units units_of(const at::Tensor& qkv, std::int64_t heads) {
  const std::int64_t states = qkv.size(0);
  const std::int64_t length = qkv.size(1);
  const std::int64_t width = qkv.size(2) / (3 * heads);
  const at::Tensor parts = qkv.reshape({states, length, 3, heads, width})
                               .permute({2, 0, 3, 1, 4})
                               .reshape({3, states * heads, length, width});
  return {parts[0], parts[1], parts[2]};
}

/// Results of the units, before they are packed like the projections.
at::Tensor results_of(const Units& units) {
  return at::empty_like(units.q, units.q.options().dtype(sum_type(units.q)));
}

/// \param results [B x heads, L, w] \param out [B, L, d]
void pack(const at::Tensor& results, std::int64_t heads, at::Tensor out) {
  const std::int64_t states = out.size(0);
  const std::int64_t length = out.size(1);
  out.view({states, length, heads, results.size(2)})
      .copy_(results.view({states, heads, length, results.size(2)}).transpose(1, 2));
}

/// Some queries of some units.
struct Block {
  std::int64_t first_unit, units, first_query, queries;

  Units of(const Units& all) const { return all.narrow(first_unit, units); }
  at::Tensor rows(const at::Tensor& x) const { return x.narrow(1, first_query, queries); }
  at::Tensor rows_of_units(const at::Tensor& x) const { return rows(x.narrow(0, first_unit, units)); }
};

template <typename Visit>
void for_each_block(const Units& all, Visit visit) {
  const std::int64_t length = all.length();
  const std::int64_t most = all.q.is_cpu() ? kScoresOnCpu : kScoresOnDevice;
  const std::int64_t queries = std::clamp<std::int64_t>(most / length, 1, length);
  const std::int64_t units = std::clamp<std::int64_t>(most / (queries * length), 1, all.count());
  for (std::int64_t unit = 0; unit < all.count(); unit += units)
    for (std::int64_t query = 0; query < length; query += queries)
      visit(Block{unit, std::min(units, all.count() - unit), query, std::min(queries, length - query)});
}

/// QKᵀ/√w. \param q [u, n, w] \param k [u, L, w]
at::Tensor scores(const at::Tensor& q, const at::Tensor& k) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(2)));
  return at::bmm(q, k.transpose(1, 2)).to(sum_type(q)).mul_(scale);
}

/// A V with the operands' type of v. \param weights [u, n, L]
at::Tensor weighted(const at::Tensor& weights, const at::Tensor& v) {
  return at::bmm(weights.to(v.scalar_type()), v).to(sum_type(v));
}

at::Tensor softmax(const at::Tensor& logits) {
  return at::_softmax(logits, -1, false);
}

/// Ȯ of some queries = (A∘(Ṡ − rowsum(A∘Ṡ)))V + AV̇: the mean is taken off before operands are rounded.
/// \param a [u, n, L] A of these queries
at::Tensor tangent_rows(const Block& block, const Units& primal, const Units& tangent, const at::Tensor& a) {
  at::Tensor slopes = scores(block.rows(tangent.q), primal.k);
  slopes.add_(scores(block.rows(primal.q), tangent.k));
  slopes.sub_((a * slopes).sum(-1, true)).mul_(a);
  return weighted(slopes, primal.v).add_(weighted(a, tangent.v));
}

}  // namespace

void attend_tiles(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  const Units all = units_of(qkv, heads);
  const at::Tensor results = results_of(all);
  for_each_block(all, [&](const Block& block) {
    const Units units = block.of(all);
    const at::Tensor a = softmax(scores(block.rows(units.q), units.k));
    block.rows_of_units(results).copy_(weighted(a, units.v));
  });
  pack(results, heads, out);
}

void attend_dual_tiles(const at::Tensor& qkv, std::int64_t heads, at::Tensor& out) {
  const Units primals = units_of(qkv[0], heads);
  const Units tangents = units_of(qkv[1], heads);
  const at::Tensor results = results_of(primals);
  const at::Tensor result_tangents = results_of(primals);
  for_each_block(primals, [&](const Block& block) {
    const Units primal = block.of(primals);
    const at::Tensor a = softmax(scores(block.rows(primal.q), primal.k));
    block.rows_of_units(results).copy_(weighted(a, primal.v));
    block.rows_of_units(result_tangents).copy_(tangent_rows(block, primal, block.of(tangents), a));
  });
  pack(results, heads, out[0]);
  pack(result_tangents, heads, out[1]);
}

void attend_tangents_tiles(const at::Tensor& qkv, const at::Tensor& qkv_tangent,
                           const at::Tensor& /*context*/, std::int64_t heads, at::Tensor& out) {
  const Units primals = units_of(qkv.unsqueeze(0), heads);
  const Units tangents = units_of(qkv_tangent, heads);
  const at::Tensor results = results_of(tangents);
  for_each_block(primals, [&](const Block& block) {
    const Units primal = block.of(primals);
    const at::Tensor a = softmax(scores(block.rows(primal.q), primal.k));
    for (std::int64_t first = 0; first < tangents.count(); first += heads)
      block.rows_of_units(results.narrow(0, first, heads))
          .copy_(tangent_rows(block, primal, block.of(tangents.narrow(first, heads)), a));
  });
  pack(results, heads, out);
}

}  // namespace regulus::backbone
