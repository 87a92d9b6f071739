// Dual attention, float32: the kernel against the same blocks of queries written with ATen's operations, and
// the machine's matrix product. Necessary work only: 3 * 4 L² d_h operations for each head.
//   OMP_NUM_THREADS=1 attention_benchmark --benchmark_repetitions=5
//   --benchmark_enable_random_interleaving=true
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>

#include "backbone/dual_attention.h"

namespace {

constexpr std::int64_t kHeads = 8;
constexpr std::int64_t kQueryBlock = 64;

void report(benchmark::State& state, double operations) {
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate,
                                                benchmark::Counter::kIs1000);
}

double necessary_operations(std::int64_t width, std::int64_t length) {
  return 12.0 * static_cast<double>(kHeads * width * length * length);
}

/// One state: [2, 1, L, 3d]
at::Tensor projections(std::int64_t width, std::int64_t length) {
  at::manual_seed(1);
  return at::randn({2, 1, length, 3 * width * kHeads});
}

void matrix_product(benchmark::State& state) {
  const std::int64_t n = 1024;
  const at::Tensor a = at::randn({n, n});
  const at::Tensor b = at::randn({n, n});
  at::Tensor c = at::empty({n, n});
  for (auto step : state) at::mm_out(c, a, b);
  report(state, 2.0 * std::pow(static_cast<double>(n), 3));
}

void kernel(benchmark::State& state) {
  const at::Tensor qkv = projections(state.range(0), state.range(1));
  at::Tensor out = at::empty({2, 1, state.range(1), kHeads * state.range(0)});
  for (auto step : state) regulus::backbone::attend_dual(qkv, kHeads, out);
  report(state, necessary_operations(state.range(0), state.range(1)));
}

/// The parts of one head and the buffers of its blocks.
struct AtenHead {
  at::Tensor q, k, v, q_dot, k_dot, v_dot, scores, weights, weighted;

  void attend(std::int64_t begin, std::int64_t count, at::Tensor out, at::Tensor out_dot) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1)));
    at::Tensor s = scores.narrow(0, 0, count);
    at::Tensor a = weights.narrow(0, 0, count);
    at::Tensor w = weighted.narrow(0, 0, count);
    at::addmm_out(s, s, q.narrow(0, begin, count), k.t(), 0.0, scale);
    at::_softmax_out(a, s, -1, false);
    at::addmm_out(w, w, q_dot.narrow(0, begin, count), k.t(), 0.0, scale);
    at::addmm_out(w, w, q.narrow(0, begin, count), k_dot.t(), 1.0, scale);
    w.mul_(a);
    at::addmm_out(out, out, a, v, 0.0, 1.0);
    at::addmm_out(out_dot, out_dot, w, v, 0.0, 1.0);
    at::addmm_out(out_dot, out_dot, a, v_dot, 1.0, 1.0);
    out_dot.addcmul_(w.sum(-1, true), out, -1.0);
  }
};

void aten(benchmark::State& state) {
  const std::int64_t width = state.range(0);
  const std::int64_t length = state.range(1);
  const at::Tensor qkv = projections(width, length);
  at::Tensor out = at::empty({2, length, kHeads * width});
  const auto part = [&](std::int64_t p, std::int64_t which, std::int64_t h) {
    return qkv[p][0].narrow(-1, (which * kHeads + h) * width, width);
  };
  AtenHead head;
  for (at::Tensor* buffer : {&head.scores, &head.weights, &head.weighted})
    *buffer = at::empty({kQueryBlock, length});
  for (auto step : state) {
    for (std::int64_t h = 0; h < kHeads; ++h) {
      head.q = part(0, 0, h), head.k = part(0, 1, h), head.v = part(0, 2, h);
      head.q_dot = part(1, 0, h), head.k_dot = part(1, 1, h), head.v_dot = part(1, 2, h);
      for (std::int64_t begin = 0; begin < length; begin += kQueryBlock) {
        const std::int64_t count = std::min(kQueryBlock, length - begin);
        const auto block = [&](std::int64_t p) {
          return out[p].narrow(-1, h * width, width).narrow(0, begin, count);
        };
        head.attend(begin, count, block(0), block(1));
      }
    }
  }
  report(state, necessary_operations(width, length));
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"d_h", "L"})
      ->ArgsProduct({{8, 16, 32, 64}, {64, 512, 1200}})
      ->Unit(benchmark::kMillisecond);
}

BENCHMARK(matrix_product)->Unit(benchmark::kMillisecond);
BENCHMARK(kernel)->Apply(shapes);
BENCHMARK(aten)->Apply(shapes);

}  // namespace
