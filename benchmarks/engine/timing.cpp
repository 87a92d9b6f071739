#include "timing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace regulus::benchmark {

namespace {

/// This rank's share of the batches.
std::vector<States> batches_of(const comm::Communicator& world, const States& states, std::int64_t size) {
  std::vector<States> mine;
  const std::int64_t total = states.sources.size(0);
  for (std::int64_t begin = size * world.rank(); begin < total; begin += size * world.size()) {
    const std::int64_t count = std::min(size, total - begin);
    mine.push_back({states.sources.narrow(0, begin, count), states.values.narrow(0, begin, count)});
  }
  return mine;
}

/// Seconds of the slowest rank.
double slowest(const comm::Communicator& world, double seconds) {
  return 1e-9 * static_cast<double>(world.max(static_cast<std::int64_t>(std::llround(1e9 * seconds))));
}

double sweep(const comm::Communicator& world, backbone::PanelPass& pass, const Timing& timing,
             const std::vector<States>& batches) {
  world.barrier();
  const double start = now_s(timing.clock);
  for (const States& batch : batches) run(pass, timing.probe, batch);
  return slowest(world, now_s(timing.clock) - start);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

nlohmann::json time_sweeps(const comm::Communicator& world, const Timing& timing) {
  const auto engine = open_engine(random_model(timing.shape), timing.precision);
  ProductRate rate(timing.shape, timing.clock);
  const auto measure_products = [&] {
    if (timing.products) rate.measure();
  };
  const std::int64_t before_bytes = peak_memory_bytes();

  const auto pass =
      engine->open_panel(panel_genes(timing.shape), panel_background(timing.shape).to(engine->precision()));
  run(*pass, timing.probe, grid_states(timing.shape, 1, 1));
  const States states =
      grid_states(timing.shape, timing.sources, timing.probe == Probe::Dual ? timing.grid : 1);
  const std::vector<States> mine = batches_of(world, states, timing.batch);

  std::vector<double> seconds;
  measure_products();
  for (double spent = 0.0; std::ssize(seconds) < timing.sweeps || spent < timing.seconds;
       spent += seconds.back()) {
    seconds.push_back(sweep(world, *pass, timing, mine));
    measure_products();
  }

  const double best = *std::min_element(seconds.begin(), seconds.end());
  const double flops = flops_per_state(timing.shape, timing.probe);
  const auto count = states.sources.size(0);
  return {{"states", count},
          {"flops_per_state", flops},
          {"best_s", best},
          {"median_s", median(seconds)},
          {"sweeps", seconds.size()},
          {"gflops", 1e-9 * flops * static_cast<double>(count) / best},
          {"gemm_gflops", rate.gflops()},
          {"before_bytes", before_bytes},
          {"peak_bytes", peak_memory_bytes()}};
}

}  // namespace regulus::benchmark
