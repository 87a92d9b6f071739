#include <fmt/format.h>
#include <zip.h>

#include "regulus/core/error.h"
#include "regulus/core/printable.h"
#include "zip_archive.h"

namespace regulus::storage {

namespace {

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  throw ModelError(what, path.string(),
                   "the file is damaged or no PyTorch checkpoint: copy or write it again");
}

std::string message_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

zip* open(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw ModelError("is not a file", path.string(), "check the path");
  int code = 0;
  zip* archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive == nullptr) damaged(path, fmt::format("cannot be read as a zip archive: {}", message_of(code)));
  return archive;
}

}  // namespace

ZipReader::ZipReader(const std::filesystem::path& path) : path_(path), archive_(open(path), zip_discard) {
  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(archive_.get(), 0));
  for (std::uint64_t index = 0; index < count; ++index) add_entry(index);
  // Records that overlap could make a small file claim any size.
  std::uint64_t total = 0;
  const std::uint64_t file_bytes = std::filesystem::file_size(path_);
  for (const auto& [name, bytes] : sizes_)
    if (bytes > file_bytes || (total += bytes) > file_bytes)
      damaged(path_, "has records longer than the file");
}

void ZipReader::add_entry(std::uint64_t index) {
  zip_stat_t entry;
  constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if (zip_stat_index(archive_.get(), index, 0, &entry) != 0 || (entry.valid & kNeeded) != kNeeded)
    damaged(path_, fmt::format("has a record that cannot be read, number {}", index));
  const std::string name = entry.name;
  const bool encrypted =
      (entry.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && entry.encryption_method != ZIP_EM_NONE;
  if (entry.comp_method != ZIP_CM_STORE || entry.comp_size != entry.size || encrypted)
    damaged(path_, fmt::format("record '{}' is compressed or encrypted, which PyTorch does not do",
                               printable(name)));
  if (!sizes_.emplace(name, entry.size).second)
    damaged(path_, fmt::format("has record '{}' twice", printable(name)));
  indices_.emplace(name, index);
}

std::vector<std::byte> ZipReader::read(const std::string& name) const {
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(archive_.get(), indices_.at(name), 0), zip_fclose);
  if (!file)
    damaged(path_,
            fmt::format("record '{}' cannot be read: {}", printable(name), zip_strerror(archive_.get())));
  std::vector<std::byte> bytes(sizes_.at(name));
  std::byte beyond{};
  // The checksum is compared when the end is met, so the end is asked for.
  if (zip_fread(file.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()) ||
      zip_fread(file.get(), &beyond, 1) != 0)
    damaged(path_, fmt::format("record '{}' is damaged: {}", printable(name), zip_file_strerror(file.get())));
  return bytes;
}

}  // namespace regulus::storage
