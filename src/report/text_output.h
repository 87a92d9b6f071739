// A text file written piece by piece; private to the module.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

#include "regulus/storage/partial_file.h"

namespace regulus::report {

/// Appears under its name only with close().
class TextOutput {
 public:
  /// \throws StorageError if it cannot be created
  explicit TextOutput(const std::filesystem::path& path);

  void write(std::string_view text);  ///< \throws StorageError
  void close();                       ///< \throws StorageError

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  storage::PartialFile partial_;
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace regulus::report
