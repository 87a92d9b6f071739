#pragma once

namespace regulus::translator {

/// While it lives, LibTorch and OpenBLAS (OpenMP flavour) compute with one thread, so that results do not
/// depend on the number of threads. The matrices here are too small to gain from more.
class SingleThread {
 public:
  SingleThread();
  ~SingleThread();
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int before_;
};

}  // namespace regulus::translator
