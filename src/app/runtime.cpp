#include "runtime.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "blas.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"

namespace regulus::app {

namespace {

constexpr int kMostThreads = 4096;

using CoreMask = std::array<std::uint64_t, sizeof(cpu_set_t) / sizeof(std::uint64_t)>;

CoreMask allowed_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) CPU_SET(0, &cores);
  CoreMask mask{};
  std::copy_n(reinterpret_cast<const std::uint64_t*>(&cores), mask.size(), mask.begin());
  return mask;
}

int count_cores(const CoreMask& mask) {
  int count = 0;
  for (const auto word : mask) count += __builtin_popcountll(word);
  return count;
}

bool overlap(const CoreMask& a, const CoreMask& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] & b[i]) != 0) return true;
  return false;
}

/// OMP_NUM_THREADS, or 0 if it is unset or no number.
int environment_threads() {
  const char* text = std::getenv("OMP_NUM_THREADS");
  return text == nullptr ? 0 : std::clamp(std::atoi(text), 0, kMostThreads);
}

/// The smallest of all ranks, so that results do not depend on how unevenly the hosts are filled.
int default_threads(const comm::Communicator& world) {
  const CoreMask mine = allowed_cores();
  int sharers = 0;
  for (const auto& other : world.split_by_host().all_gather(std::vector<CoreMask>{mine}))
    if (overlap(mine, other)) ++sharers;
  return -world.max(-std::max(1, count_cores(mine) / sharers));
}

}  // namespace

void tune_allocator() {
  constexpr int kTopPad_bytes = 256 << 20;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, kTopPad_bytes);
}

void start_log(const comm::Communicator& world, const Options& options) {
  const std::string file = options.given("log-file") ? options.get<std::string>("log-file") : "";
  comm::agree(world, "log", [&] {
    log::configure({options.get<std::string>("log-level"), file, world.rank(), world.size()});
  });
}

int start_threads(const comm::Communicator& world, const Options& options) {
  int threads = options.in_range("threads", 0, kMostThreads);
  if (threads == 0) threads = -world.max(-environment_threads());
  if (threads == 0) threads = default_threads(world);
  at::set_num_threads(threads);
  set_blas_threads(threads);
  if (world.is_root() && !slow_blas().empty())
    log::warning(
        "matrix products run on the reference BLAS ({}), some 30 times slower than OpenBLAS: "
        "install the package libopenblas0-openmp or libopenblas-dev",
        slow_blas());
  return threads;
}

std::uint64_t seed_of(const Options& options) {
  return static_cast<std::uint64_t>(options.in_range("seed", std::int64_t{0}));
}

bool shows_progress(const comm::Communicator& world, const Options& options) {
  const auto& when = options.get<std::string>("progress");
  const auto& level = options.get<std::string>("log-level");
  return world.is_root() && (when == "on" || (when == "auto" && level != "error" && level != "off"));
}

}  // namespace regulus::app
