#pragma once

#include <zip.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace regulus::test {

using ZipRecords = std::vector<std::pair<std::string, std::string>>;  ///< name, bytes

/// Writes a zip archive of these records with one compression method (ZIP_CM_STORE, ZIP_CM_DEFLATE …).
inline void write_zip(const std::filesystem::path& path, const ZipRecords& records,
                      zip_int32_t method = ZIP_CM_STORE) {
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  if (archive == nullptr) throw std::runtime_error("the archive cannot be made");
  for (const auto& [name, bytes] : records) {
    zip_source_t* source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const auto index = static_cast<zip_uint64_t>(zip_file_add(archive, name.c_str(), source, 0));
    zip_set_file_compression(archive, index, method, 0);
  }
  if (zip_close(archive) != 0) throw std::runtime_error("the archive cannot be written");
}

}  // namespace regulus::test
