#pragma once

#include <cmath>
#include <cstddef>

#include "warp.h"

/// The part of CUDA's run time and language that the kernels use, on the CPU.

#define __device__
#define __global__
#define __shared__
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(threads)

#define threadIdx ::emulation::thread_index
#define blockIdx ::emulation::block_index

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1 };
enum cudaDeviceAttr { cudaDevAttrComputeCapabilityMajor, cudaDevAttrMaxSharedMemoryPerBlockOptin };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
using cudaStream_t = void*;

struct dim3 {
  unsigned x, y, z;
  explicit dim3(unsigned x_, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace emulation {

inline bool reversed = false;  // order of the threads
inline std::size_t shared_bytes_granted = 0;

}  // namespace emulation

inline cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int) {
  *value = which == cudaDevAttrComputeCapabilityMajor ? 8 : 163 * 1024;
  return cudaSuccess;
}

template <typename Kernel>
cudaError_t cudaFuncSetAttribute(Kernel*, cudaFuncAttribute, int bytes) {
  emulation::shared_bytes_granted = static_cast<std::size_t>(bytes);
  return cudaSuccess;
}

template <typename Task>
cudaError_t cudaLaunchKernel(void (*kernel)(Task), dim3 grid, dim3 threads, void** arguments,
                             std::size_t bytes, cudaStream_t) {
  if (bytes > emulation::shared_bytes_granted) return cudaErrorInvalidValue;
  const auto& task = *static_cast<const Task*>(arguments[0]);
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        emulation::block_index = {x, y, z};
        emulation::Block(static_cast<int>(threads.x), emulation::reversed, [&] { kernel(task); });
      }
  return cudaSuccess;
}

inline void __syncthreads() {
  emulation::Block::current().wait_for_block();
}
inline void __syncwarp() {
  emulation::Block::current().wait_for_warp();
}

inline float __shfl_sync(unsigned, float value, int lane) {
  return emulation::among_lanes(value, [&](const float* all) { return all[lane]; });
}

inline float __shfl_xor_sync(unsigned mask, float value, int bits) {
  return __shfl_sync(mask, value, emulation::Block::current().lane() ^ bits);
}

inline int __any_sync(unsigned, int predicate) {
  return emulation::among_lanes(predicate, [](const int* all) {
    int any = 0;
    for (int lane = 0; lane < emulation::kLanes; ++lane) any |= all[lane];
    return any;
  });
}
