#include "blas_threads.h"

#include <dlfcn.h>

namespace regulus::backbone {

namespace {

/// LibTorch loads the BLAS; the symbols are there or not.
template <typename Function>
Function* symbol(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

SingleThreadedBlas::SingleThreadedBlas() {
  static auto* const threads = symbol<int()>("openblas_get_num_threads");
  static auto* const set_threads = symbol<void(int)>("openblas_set_num_threads");
  if (threads == nullptr || set_threads == nullptr) return;
  threads_ = threads();
  set_threads(1);
}

SingleThreadedBlas::~SingleThreadedBlas() {
  if (threads_ > 0) symbol<void(int)>("openblas_set_num_threads")(threads_);
}

}  // namespace regulus::backbone
