#include "regulus/storage/text_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "regulus/core/error.h"
#include "regulus/storage/partial_file.h"

namespace regulus::storage {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int reason) {
  throw StorageError(std::string("cannot be written: ") + std::strerror(reason), path.string(),
                     "check that its folder exists and is writable, and that there is free space");
}

}  // namespace

void write_bytes_atomically(const std::filesystem::path& path,
                            const std::vector<std::span<const std::byte>>& pieces) {
  PartialFile partial(path);
  std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(partial.path().c_str(), "wbe"),
                                                          &std::fclose);
  if (!file) fail(path, errno);
  for (const auto& piece : pieces)
    if (!piece.empty() && std::fwrite(piece.data(), 1, piece.size(), file.get()) != piece.size())
      fail(path, errno);
  if (std::fflush(file.get()) != 0) fail(path, errno);
  if (std::fclose(file.release()) != 0) fail(path, errno);
  partial.commit();
}

void write_text_atomically(const std::filesystem::path& path, const std::string& text) {
  write_bytes_atomically(path, {std::as_bytes(std::span(text))});
}

void remove_file(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::remove(path, failure);
  if (failure)
    throw StorageError("cannot be removed: " + failure.message(), path.string(),
                       "check its folder's permissions");
}

std::string read_text(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw InputError("does not exist", path.string(), "check the path");
  if (std::filesystem::is_directory(path, ignored))
    throw InputError("is a folder, not a file", path.string(), "name the file inside it");
  std::ifstream stream(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream) throw InputError("cannot be read", path.string(), "check its permissions");
  return text;
}

}  // namespace regulus::storage
