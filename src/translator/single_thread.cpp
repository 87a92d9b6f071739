#include "regulus/translator/single_thread.h"

#include <ATen/Parallel.h>

namespace regulus::translator {

SingleThread::SingleThread() : before_(at::get_num_threads()) {
  at::set_num_threads(1);
}

SingleThread::~SingleThread() {
  at::set_num_threads(before_);
}

}  // namespace regulus::translator
