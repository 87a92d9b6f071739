#pragma once

#include <ucontext.h>

#include <csetjmp>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

/// Enough of CUDA's execution model to run a kernel on the CPU: the threads of one block are fibers that run
/// one at a time and change over only where they wait for each other, so that a missing barrier shows in the
/// results.
namespace emulation {

constexpr int kLanes = 32;

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

inline Index thread_index;
inline Index block_index;

/// A meeting point of some threads.
struct Barrier {
  int members = 0, arrived = 0;
  long generation = 0;
};

class Block {
 public:
  /// Runs body() in every thread. \param reversed the order in which waiting threads go on
  Block(int threads, bool reversed, std::function<void()> body) : body_(std::move(body)), fibers_(threads) {
    current_ = this;
    everyone_.members = threads;
    warps_.resize(static_cast<std::size_t>(threads / kLanes));
    for (Warp& warp : warps_) warp.barrier.members = kLanes;
    for (Fiber& fiber : fibers_) start(fiber);
    for (int left = threads; left > 0;) left -= turn(reversed);
    current_ = nullptr;
  }

  static Block& current() { return *current_; }

  void wait_for_block() { wait(everyone_); }
  void wait_for_warp() { wait(warp().barrier); }
  int lane() const { return running_ % kLanes; }

  /// Memory in which the lanes of this thread's warp show each other something, until their next wait but
  /// one.
  template <typename T>
  T* exchange(std::size_t per_lane) {
    Fiber& fiber = fibers_[static_cast<std::size_t>(running_)];
    fiber.turn ^= 1;
    std::vector<std::byte>& memory = warp().memory[fiber.turn];
    if (memory.size() < per_lane * kLanes * sizeof(T)) memory.resize(per_lane * kLanes * sizeof(T));
    return reinterpret_cast<T*>(memory.data());
  }

 private:
  struct Fiber {
    ucontext_t context{};  // to start in
    std::jmp_buf place;    // to go on at
    bool started = false;
    std::unique_ptr<std::byte[]> stack;
    std::size_t turn = 0;
    const Barrier* waits_for = nullptr;
    long generation = 0;
    bool done = false;
  };
  struct Warp {
    Barrier barrier;
    std::vector<std::byte> memory[2];
  };

  void start(Fiber& fiber) {
    constexpr std::size_t kStack_bytes = 64 * 1024;
    fiber.stack = std::make_unique_for_overwrite<std::byte[]>(kStack_bytes);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStack_bytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &Block::enter, 0);
  }

  static void enter() {
    Block& block = current();
    block.body_();
    block.fibers_[static_cast<std::size_t>(block.running_)].done = true;
    _longjmp(block.scheduler_place_, 1);
  }

  /// Lets every thread that can go on do so once. \return how many ended
  int turn(bool reversed) {
    int ended = 0;
    bool moved = false;
    const int threads = static_cast<int>(fibers_.size());
    for (int i = 0; i < threads; ++i) {
      running_ = reversed ? threads - 1 - i : i;
      Fiber& fiber = fibers_[static_cast<std::size_t>(running_)];
      if (fiber.done || (fiber.waits_for != nullptr && fiber.waits_for->generation == fiber.generation))
        continue;
      fiber.waits_for = nullptr;
      thread_index.x = static_cast<unsigned>(running_);
      go_on(fiber);
      moved = true;
      ended += fiber.done ? 1 : 0;
    }
    if (!moved) throw std::runtime_error("the threads of a block wait for each other for ever");
    return ended;
  }

  void wait(Barrier& barrier) {
    if (++barrier.arrived == barrier.members) {
      barrier.arrived = 0;
      ++barrier.generation;
      return;
    }
    Fiber& fiber = fibers_[static_cast<std::size_t>(running_)];
    fiber.waits_for = &barrier;
    fiber.generation = barrier.generation;
    if (_setjmp(fiber.place) == 0) _longjmp(scheduler_place_, 1);
  }

  /// Until the thread waits or ends. (Jumps, since swapcontext is a system call each time.)
  void go_on(Fiber& fiber) {
    if (_setjmp(scheduler_place_) != 0) return;
    if (fiber.started) _longjmp(fiber.place, 1);
    fiber.started = true;
    setcontext(&fiber.context);
  }

  Warp& warp() { return warps_[static_cast<std::size_t>(running_ / kLanes)]; }

  static inline Block* current_ = nullptr;
  std::function<void()> body_;
  std::vector<Fiber> fibers_;
  std::vector<Warp> warps_;
  Barrier everyone_;
  std::jmp_buf scheduler_place_;
  int running_ = 0;
};

/// value(lane) of every lane, for the calling lane to read; all lanes of the warp call it.
template <typename T, typename Read>
auto among_lanes(const T& mine, Read read) {
  Block& block = Block::current();
  T* const all = block.exchange<T>(1);
  all[block.lane()] = mine;
  block.wait_for_warp();
  return read(static_cast<const T*>(all));
}

}  // namespace emulation
