#pragma once

#include <filesystem>

namespace regulus::storage {

/// A file that is written under the name `<target>.partial` and gets its own name only when it is whole, so
/// that a failure never leaves a file that looks finished and is not. A device (/dev/stdout) is written in
/// place.
class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& target);
  /// Removes the partial file if commit() was not reached.
  ~PartialFile();
  PartialFile(PartialFile&& other) noexcept;
  PartialFile& operator=(PartialFile&& other) noexcept;
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  /// Where to write until commit().
  const std::filesystem::path& path() const { return partial_; }

  /// Forces the bytes to disk and renames. \throws StorageError
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path partial_;
  bool pending_ = true;
};

}  // namespace regulus::storage
