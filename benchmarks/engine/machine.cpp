#include "machine.h"

#include <ATen/ATen.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>

namespace regulus::benchmark {

ProductRate::ProductRate(const Shape& shape, Clock clock) : clock_(clock) {
  const auto add = [this](std::int64_t rows, std::int64_t inner, std::int64_t columns) {
    products_.push_back(
        {at::rand({rows, inner}), at::rand({inner, columns}), at::empty({rows, columns}, at::kFloat)});
  };
  for (const std::int64_t n : {512, 1024, 2048}) add(n, n, n);
  for (const std::int64_t columns : {shape.width, 3 * shape.width})
    add(2 * shape.length, shape.width, columns);
}

void ProductRate::measure() {
  for (Product& product : products_) {
    const double start = now_s(clock_);
    at::mm_out(product.result, product.a, product.b);
    const double seconds = now_s(clock_) - start;
    const auto operations = 2.0 * static_cast<double>(product.a.numel() * product.b.size(1));
    gflops_ = std::max(gflops_, 1e-9 * operations / seconds);
  }
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

double now_s(Clock clock) {
  timespec time{};
  clock_gettime(clock == Clock::Wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace regulus::benchmark
