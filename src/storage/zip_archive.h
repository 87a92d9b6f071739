#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct zip;

namespace regulus::storage {

/// The records of a zip archive that stores them uncompressed, as PyTorch's checkpoints do.
class ZipReader {
 public:
  /// \throws ModelError if the file is no such archive, repeats a name, or claims more than it can hold
  explicit ZipReader(const std::filesystem::path& path);

  /// Length of every record in bytes, by name.
  const std::map<std::string, std::uint64_t>& sizes() const { return sizes_; }

  /// A record's bytes, its checksum verified. \param name one of sizes() \throws ModelError if it is damaged
  std::vector<std::byte> read(const std::string& name) const;

 private:
  void add_entry(std::uint64_t index);

  std::filesystem::path path_;
  std::unique_ptr<zip, void (*)(zip*)> archive_;
  std::map<std::string, std::uint64_t> sizes_;
  std::map<std::string, std::uint64_t> indices_;
};

/// A record to be written; the bytes must outlive the call.
struct ZipRecord {
  std::string name;
  std::span<const std::byte> bytes;
};

/// The bytes of an archive of these records in this order, uncompressed, without times, each starting at a
/// multiple of 64 bytes as long as all before it are shorter than 4 GiB. \throws StorageError naming the file
std::vector<std::byte> zip_bytes(const std::vector<ZipRecord>& records, const std::filesystem::path& path);

}  // namespace regulus::storage
