#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "aligned_buffer.h"

namespace regulus::backbone {

/// Memory of one thread that takes states through the network.
struct WorkerMemory {
  AlignedBuffer x, projected, context;
  std::vector<AlignedBuffer> scratch;  ///< of the attention kernels, one for each thread below this one
};

/// Memory of one open panel.
struct PassMemory {
  explicit PassMemory(std::size_t threads);

  std::vector<WorkerMemory> workers;  ///< one for each thread
  std::vector<AlignedBuffer> layers;  ///< what is recorded of the background, layer by layer
  AlignedBuffer decoder;              ///< and of the decoder

  std::size_t bytes() const;
};

/// Hands memory from closed panels on to the next: opening panels of one size allocates only once.
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
 public:
  /// For at::get_num_threads() threads and `layers` layers. The pool lives as long as what it handed out.
  std::shared_ptr<PassMemory> take(std::size_t layers);
  /// Of all that is not in use.
  std::size_t bytes();

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<PassMemory>> free_;
};

}  // namespace regulus::backbone
