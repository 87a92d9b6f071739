#include "counted_writes.h"

#include <dlfcn.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

namespace {

std::atomic<long> count = -1;  // below 0: not counting yet
std::atomic<long> fatal = 0;
std::atomic<unsigned> wait_us = 0;

void before_write() {
  if (count < 0) return;
  if (wait_us > 0) ::usleep(wait_us);
  if (++count == fatal) std::raise(SIGKILL);
}

/// The C library's function of this name, which the one below stands before.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

namespace regulus::test {

void count_writes(long last, unsigned delay_us) {
  fatal = last;
  wait_us = delay_us;
  count = 0;
}

long counted_writes() {
  return count;
}

}  // namespace regulus::test

// The program exports these, so the libraries find them first.
extern "C" {

ssize_t pwrite(int file, const void* data, size_t bytes, off_t offset) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  before_write();
  return real(file, data, bytes, offset);
}

ssize_t pwrite64(int file, const void* data, size_t bytes, off64_t offset) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  before_write();
  return real(file, data, bytes, offset);
}

ssize_t pwritev(int file, const iovec* parts, int part_count, off_t offset) {
  static auto* const real = next<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  before_write();
  return real(file, parts, part_count, offset);
}

ssize_t pwritev64(int file, const iovec* parts, int part_count, off64_t offset) {
  static auto* const real = next<ssize_t(int, const iovec*, int, off64_t)>("pwritev64");
  before_write();
  return real(file, parts, part_count, offset);
}
}
