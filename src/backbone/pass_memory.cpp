#include "pass_memory.h"

#include <ATen/Parallel.h>

namespace regulus::backbone {

PassMemory::PassMemory(std::size_t threads) : workers(threads) {
  for (WorkerMemory& worker : workers) worker.scratch.resize(threads);
}

std::size_t PassMemory::bytes() const {
  std::size_t total = decoder.bytes();
  for (const AlignedBuffer& layer : layers) total += layer.bytes();
  for (const WorkerMemory& worker : workers) {
    total += worker.x.bytes() + worker.projected.bytes() + worker.context.bytes();
    for (const AlignedBuffer& scratch : worker.scratch) total += scratch.bytes();
  }
  return total;
}

std::shared_ptr<PassMemory> MemoryPool::take(std::size_t layers) {
  const auto threads = static_cast<std::size_t>(at::get_num_threads());
  std::unique_ptr<PassMemory> memory;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty() && free_.back()->workers.size() == threads) {
      memory = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (memory == nullptr) memory = std::make_unique<PassMemory>(threads);
  memory->layers.resize(layers);
  const auto give_back = [pool = shared_from_this()](PassMemory* used) {
    const std::lock_guard lock(pool->mutex_);
    pool->free_.emplace_back(used);
  };
  return {memory.release(), give_back};
}

std::size_t MemoryPool::bytes() {
  const std::lock_guard lock(mutex_);
  std::size_t total = 0;
  for (const auto& memory : free_) total += memory->bytes();
  return total;
}

}  // namespace regulus::backbone
