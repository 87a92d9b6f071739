#include "support/allocations.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> bytes{0};

void count(std::size_t size) {
  if (counting) bytes += size;
}

}  // namespace

namespace regulus::test {

void start_counting_allocations() {
  bytes = 0;
  counting = true;
}

std::size_t stop_counting_allocations() {
  counting = false;
  return bytes;
}

}  // namespace regulus::test

#ifndef __SANITIZE_ADDRESS__

// The program's definitions come before those of the C and C++ libraries, for LibTorch too.

/// What LibTorch's allocator for tensors calls.
extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  using Function = int (*)(void**, std::size_t, std::size_t);
  static const auto original = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "posix_memalign"));
  count(size);
  return original(memory, alignment, size);
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  count(size);
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

#endif
