#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "regulus/core/error.h"
#include "regulus/core/log.h"

namespace regulus::fuzz {

/// The one file, in memory, through which a target hands its input to a reader.
class InputFile {
 public:
  explicit InputFile(const std::string& name)
      : path_(std::filesystem::path("/dev/shm") /
              ("regulus-fuzz-" + std::to_string(::getpid()) + "-" + name)) {}
  ~InputFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void fill(const std::uint8_t* data, std::size_t size) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }

 private:
  std::filesystem::path path_;
};

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}

inline void require(bool holds, const char* what) {
  if (!holds) fail(what);
}

inline void be_quiet() {
  static const bool done = (log::configure({.level = "off"}), true);
  (void)done;
}

/// Runs a reader, which may succeed or refuse its input with the one kind of error that it documents. Any
/// other error of ours stops the fuzzer here, any other exception by itself.
template <typename Read>
void accepts_or_refuses(ErrorKind kind, Read&& read) {
  be_quiet();
  try {
    read();
  } catch (const Error& error) {
    if (error.kind() != kind) fail(std::string("another kind of error: ") + error.what());
    if (std::string(error.what()).size() > 5000) fail("an endless message");
  }
}

}  // namespace regulus::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
