#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace regulus::backbone {

/// Memory for vectors that grows to the largest size asked for and is reused: passes of one shape allocate
/// only the first time.
class AlignedBuffer {
 public:
  /// At least `count` elements; the contents of earlier calls are lost if it grows.
  template <typename T>
  T* reserve(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes > bytes_) {
      memory_.reset();
      memory_.reset(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment})));
      bytes_ = bytes;
    }
    return reinterpret_cast<T*>(memory_.get());
  }

  /// Several arrays at once, each aligned. \param places receive their first elements
  template <typename T, std::size_t N>
  void reserve(const std::size_t (&counts)[N], T** const (&places)[N]) {
    std::size_t total = 0;
    for (const std::size_t count : counts) total += aligned<T>(count);
    T* next = reserve<T>(total);
    for (std::size_t i = 0; i < N; ++i) {
      *places[i] = next;
      next += aligned<T>(counts[i]);
    }
  }

  std::size_t bytes() const { return bytes_; }

 private:
  /// Elements of T up to the next aligned one.
  template <typename T>
  static std::size_t aligned(std::size_t count) {
    constexpr std::size_t kUnit = kAlignment / sizeof(T);
    return (count + kUnit - 1) / kUnit * kUnit;
  }

  static constexpr std::size_t kAlignment = 128;

  struct Release {
    void operator()(std::byte* memory) const { ::operator delete (memory, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<std::byte, Release> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace regulus::backbone
