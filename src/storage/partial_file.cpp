#include "regulus/storage/partial_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "regulus/core/error.h"

namespace regulus::storage {

namespace {

/// The file behind a symbolic link: renaming onto the link would replace the link.
std::filesystem::path resolve(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_symlink(path, ignored)) return path;
  const auto resolved = std::filesystem::weakly_canonical(path, ignored);
  return ignored ? path : resolved;
}

bool can_be_renamed_onto(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  return !std::filesystem::exists(status) || std::filesystem::is_regular_file(status) ||
         std::filesystem::is_directory(status);
}

void force_to_disk(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced)
    throw StorageError(std::string("cannot be forced to disk: ") + std::strerror(reason), path.string(),
                       "check free space and quota");
}

}  // namespace

PartialFile::PartialFile(const std::filesystem::path& target) : target_(resolve(target)), partial_(target_) {
  if (can_be_renamed_onto(target_)) partial_ += ".partial";
}

PartialFile::~PartialFile() {
  std::error_code ignored;
  if (pending_ && partial_ != target_) std::filesystem::remove(partial_, ignored);
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : target_(std::move(other.target_)),
      partial_(std::move(other.partial_)),
      pending_(std::exchange(other.pending_, false)) {}

PartialFile& PartialFile::operator=(PartialFile&& other) noexcept {
  std::swap(target_, other.target_);
  std::swap(partial_, other.partial_);
  std::swap(pending_, other.pending_);
  return *this;
}

void PartialFile::commit() {
  if (partial_ != target_) {
    force_to_disk(partial_);
    std::error_code failure;
    std::filesystem::rename(partial_, target_, failure);
    if (failure)
      throw StorageError("cannot be put in place: " + failure.message(), target_.string(),
                         "check that the path is not a folder and that its folder is writable");
  }
  pending_ = false;
}

}  // namespace regulus::storage
