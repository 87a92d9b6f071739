#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

namespace regulus::backbone {

/// Where LibTorch 1.13 and 2.x differ, or say the same thing in several ways.

/// Whether a failure means that a device, or the host, has no memory left. The caching allocator of CUDA
/// throws OutOfMemoryError; the libraries under it and the CPU's allocator are known by their words alone.
inline bool is_out_of_memory(const std::exception& failure) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&failure) != nullptr) return true;
  if (dynamic_cast<const std::bad_alloc*>(&failure) != nullptr) return true;
  const std::string text = failure.what();
  for (const char* words : {"out of memory", "not enough memory", "ALLOC_FAILED"})
    if (text.find(words) != std::string::npos) return true;
  return false;
}

}  // namespace regulus::backbone
