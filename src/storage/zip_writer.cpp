#include <fmt/format.h>
#include <zip.h>

#include "regulus/core/error.h"
#include "zip_archive.h"

namespace regulus::storage {

namespace {

constexpr std::uint64_t kAlignment_bytes = 64;
constexpr std::uint64_t kLocalHeader_bytes = 30;
constexpr std::uint64_t kFieldHeader_bytes = 4;
constexpr zip_uint16_t kPaddingField = 0x4246;       // "FB", as PyTorch pads
constexpr zip_uint16_t kFirstDay = (1U << 5U) | 1U;  // 1 January 1980, the zero of zip's calendar

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path)
      : path_(path), sink_(zip_source_buffer_create(nullptr, 0, 0, nullptr), zip_source_free) {
    if (!sink_) fail("out of memory");
    zip_source_keep(sink_.get());
    archive_.reset(zip_open_from_source(sink_.get(), ZIP_TRUNCATE, nullptr));
    if (!archive_) fail("the zip archive cannot be started");
  }

  void add(const ZipRecord& record);
  std::vector<std::byte> finish();

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw StorageError("cannot be written: " + reason, path_.string());
  }
  void pad(zip_uint64_t index, std::size_t name_bytes);

  std::filesystem::path path_;
  std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> sink_;
  std::unique_ptr<zip, void (*)(zip*)> archive_{nullptr, zip_discard};
  std::uint64_t cursor_ = 0;  ///< where the next record's header begins
};

/// A field of the header that readers skip, as long as it takes for the data to start on the alignment.
void Writer::pad(zip_uint64_t index, std::size_t name_bytes) {
  const std::uint64_t data_begin = cursor_ + kLocalHeader_bytes + name_bytes + kFieldHeader_bytes;
  const std::vector<zip_uint8_t> padding(
      (kAlignment_bytes - data_begin % kAlignment_bytes) % kAlignment_bytes, zip_uint8_t{'Z'});
  if (zip_file_extra_field_set(archive_.get(), index, kPaddingField, 0, padding.data(),
                               static_cast<zip_uint16_t>(padding.size()), ZIP_FL_LOCAL) != 0)
    fail(zip_strerror(archive_.get()));
  cursor_ = data_begin + padding.size();
}

void Writer::add(const ZipRecord& record) {
  zip* archive = archive_.get();
  zip_source_t* source = zip_source_buffer(archive, record.bytes.data(), record.bytes.size(), 0);
  if (source == nullptr) fail(zip_strerror(archive));
  const zip_int64_t added = zip_file_add(archive, record.name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (added < 0) {
    zip_source_free(source);
    fail(zip_strerror(archive));
  }
  const auto index = static_cast<zip_uint64_t>(added);
  if (zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, index, 0, kFirstDay, 0) != 0)
    fail(zip_strerror(archive));
  pad(index, record.name.size());
  cursor_ += record.bytes.size();
}

std::vector<std::byte> Writer::finish() {
  if (zip_close(archive_.get()) != 0) fail(zip_strerror(archive_.get()));
  (void)archive_.release();
  zip_stat_t whole;
  if (zip_source_stat(sink_.get(), &whole) != 0 || zip_source_open(sink_.get()) != 0)
    fail("the zip archive cannot be read back");
  std::vector<std::byte> bytes(whole.size);
  const zip_int64_t count = zip_source_read(sink_.get(), bytes.data(), bytes.size());
  zip_source_close(sink_.get());
  if (count != static_cast<zip_int64_t>(bytes.size())) fail("the zip archive cannot be read back");
  return bytes;
}

}  // namespace

std::vector<std::byte> zip_bytes(const std::vector<ZipRecord>& records, const std::filesystem::path& path) {
  Writer writer(path);
  for (const ZipRecord& record : records) writer.add(record);
  return writer.finish();
}

}  // namespace regulus::storage
