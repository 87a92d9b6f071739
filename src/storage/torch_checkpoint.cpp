#include "regulus/storage/torch_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>

#include "pickle.h"
#include "regulus/core/error.h"
#include "regulus/core/printable.h"
#include "zip_archive.h"

namespace regulus::storage {

namespace {

constexpr std::string_view kPickle = "/data.pkl";
constexpr std::uint64_t kLongestPickle_bytes = 16'000'000;  // some hundred bytes a tensor are usual
// Tensors may share storages, which must not let a small file ask for a large memory.
constexpr std::uint64_t kAlwaysAllowed_bytes = std::uint64_t{1} << 26U;
constexpr std::uint64_t kMostSharing = 16;

/// The first bytes of what torch.save wrote before version 1.6: a pickled magic number.
constexpr std::string_view kLegacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  throw ModelError(what, path.string(),
                   "the file is damaged or no PyTorch checkpoint: copy or write it again");
}

std::string first_bytes(const std::filesystem::path& path, std::size_t count) {
  std::error_code ignored;
  std::ifstream stream(path, std::ios::binary);
  if (!stream || !std::filesystem::is_regular_file(path, ignored))
    throw ModelError("cannot be read", path.string(), "check the path and its permissions");
  std::string bytes(count, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

void refuse_other_formats(const std::filesystem::path& path) {
  const std::string start = first_bytes(path, kLegacyMagic.size());
  if (start == kLegacyMagic)
    throw ModelError(
        "is in PyTorch's format from before version 1.6, which is not read", path.string(),
        fmt::format("convert it: python3 -c \"import torch; torch.save(torch.load('{}', map_location='cpu'), "
                    "'NEW.pt')\"",
                    path.string()));
  if (!start.starts_with("PK"))
    damaged(path, "is not a PyTorch checkpoint: it does not start as a zip archive");
}

/// The archive's folder, named after the file that was once saved.
std::string folder_of(const std::filesystem::path& path, const ZipReader& zip) {
  std::string folder;
  std::size_t found = 0;
  for (const auto& [name, bytes] : zip.sizes()) {
    if (!name.ends_with(kPickle)) continue;
    ++found;
    folder = name.substr(0, name.size() - kPickle.size());
  }
  if (found != 1) damaged(path, fmt::format("has {} records data.pkl instead of one", found));
  return folder;
}

void require_little_endian(const std::filesystem::path& path, const ZipReader& zip,
                           const std::string& folder) {
  const std::string name = folder + "/byteorder";
  if (!zip.sizes().contains(name)) return;
  constexpr std::string_view kLittle = "little";
  if (zip.sizes().at(name) == kLittle.size()) {
    const auto order = zip.read(name);
    if (std::memcmp(order.data(), kLittle.data(), kLittle.size()) == 0) return;
  }
  throw ModelError("was not written on a little-endian machine", path.string(),
                   "load and save it with PyTorch on one");
}

std::map<std::string, pickle::Tensor> read_pickle(const std::filesystem::path& path, const ZipReader& zip,
                                                  const std::string& folder) {
  const std::string name = folder + std::string(kPickle);
  if (zip.sizes().at(name) > kLongestPickle_bytes)
    damaged(path, fmt::format("has a data.pkl of {} bytes", zip.sizes().at(name)));
  const auto bytes = zip.read(name);
  return pickle::read_state_dict({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                 path.string() + ", data.pkl");
}

struct Named {
  const std::string* name = nullptr;
  const pickle::Tensor* tensor = nullptr;
};

class Reader {
 public:
  Reader(const std::filesystem::path& path, const ZipReader& zip, const std::string& folder)
      : path_(path), zip_(zip), folder_(folder) {
    for (const auto& entry : zip.sizes()) stored_bytes_ += entry.second;
  }

  std::map<std::string, TensorView> read(const std::map<std::string, pickle::Tensor>& tensors);

 private:
  [[noreturn]] void refuse(const Named& tensor, const std::string& what) const {
    damaged(path_, fmt::format("tensor '{}' {}", printable(*tensor.name), what));
  }
  std::string record_of(const pickle::Tensor& tensor) const { return folder_ + "/data/" + tensor.storage; }
  void check_storage(const Named& named) const;
  std::uint64_t count_elements(const Named& named) const;
  void check_extent(const Named& named) const;
  void add_bytes(const Named& named);

  const std::filesystem::path& path_;
  const ZipReader& zip_;
  std::string folder_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

void Reader::check_storage(const Named& named) const {
  const auto record = zip_.sizes().find(record_of(*named.tensor));
  if (record == zip_.sizes().end())
    refuse(named, fmt::format("lacks its record data/{}", printable(named.tensor->storage)));
  const std::uint64_t width = element_bytes(named.tensor->dtype);
  if (record->second % width != 0 || record->second / width != named.tensor->storage_count)
    refuse(named, fmt::format("has a record of {} bytes for {} elements of {} bytes", record->second,
                              named.tensor->storage_count, width));
}

/// More elements than the storage has are only possible where elements repeat, as after expand(). A tensor
/// without elements may have other extents, as long as their product is a number.
std::uint64_t Reader::count_elements(const Named& named) const {
  const auto& shape = named.tensor->shape;
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  const std::uint64_t most = empty ? std::numeric_limits<std::int64_t>::max() : named.tensor->storage_count;
  std::uint64_t count = 1;
  for (const std::int64_t extent : shape) {
    const auto e = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 1));
    if (e > most / count) refuse(named, "has more elements than its storage");
    count *= e;
  }
  if (count > most) refuse(named, "has more elements than its storage");
  return empty ? 0 : count;
}

/// The last element, at offset + sum of (extent - 1) x stride, must lie in the storage.
void Reader::check_extent(const Named& named) const {
  const pickle::Tensor& tensor = *named.tensor;
  if (count_elements(named) == 0) return;
  std::uint64_t left = tensor.storage_count - 1;  // count_elements() found one element at least
  if (tensor.offset > left) refuse(named, "starts beyond its storage");
  left -= tensor.offset;
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    const auto steps = static_cast<std::uint64_t>(tensor.shape[axis]) - 1;
    const auto stride = static_cast<std::uint64_t>(tensor.strides[axis]);
    if (steps != 0 && stride > left / steps) refuse(named, "reaches beyond its storage");
    left -= steps * stride;
  }
}

void Reader::add_bytes(const Named& named) {
  total_bytes_ += count_elements(named) * element_bytes(named.tensor->dtype);
  if (total_bytes_ > kAlwaysAllowed_bytes && total_bytes_ / kMostSharing > stored_bytes_)
    refuse(named, "shares its storage with too many others");
}

/// Copies a strided tensor element by element, in row-major order.
void gather(const pickle::Tensor& tensor, const std::byte* storage, std::size_t width, std::byte* to,
            std::size_t count) {
  std::vector<std::int64_t> position(tensor.shape.size(), 0);
  std::uint64_t from = tensor.offset;
  for (std::size_t done = 0; done < count; ++done) {
    std::memcpy(to + done * width, storage + from * width, width);
    for (std::size_t axis = position.size(); axis > 0; --axis) {
      const auto stride = static_cast<std::uint64_t>(tensor.strides[axis - 1]);
      from += stride;
      if (++position[axis - 1] < tensor.shape[axis - 1]) break;
      from -= stride * static_cast<std::uint64_t>(tensor.shape[axis - 1]);
      position[axis - 1] = 0;
    }
  }
}

bool is_row_major(const pickle::Tensor& tensor) {
  std::int64_t expected = 1;
  for (std::size_t axis = tensor.shape.size(); axis > 0; --axis) {
    if (tensor.shape[axis - 1] != 1 && tensor.strides[axis - 1] != expected) return false;
    expected *= tensor.shape[axis - 1];
  }
  return true;
}

TensorView copy_tensor(const pickle::Tensor& tensor, const std::vector<std::byte>& storage,
                       std::size_t count) {
  const std::size_t width = element_bytes(tensor.dtype);
  TensorView view{tensor.dtype, tensor.shape, std::vector<std::byte>(count * width)};
  if (count == 0) return view;
  if (is_row_major(tensor))
    std::memcpy(view.data.data(), storage.data() + tensor.offset * width, view.data.size());
  else
    gather(tensor, storage.data(), width, view.data.data(), count);
  return view;
}

std::map<std::string, TensorView> Reader::read(const std::map<std::string, pickle::Tensor>& tensors) {
  std::map<std::string, std::vector<Named>> by_storage;  // each is read once and kept no longer than needed
  for (const auto& [name, tensor] : tensors) {
    const Named named{&name, &tensor};
    check_storage(named);
    check_extent(named);
    add_bytes(named);
    by_storage[tensor.storage].push_back(named);
  }
  std::map<std::string, TensorView> views;
  for (const auto& [storage, sharing] : by_storage) {
    const auto bytes = zip_.read(record_of(*sharing.front().tensor));
    for (const Named& named : sharing)
      views.emplace(*named.name, copy_tensor(*named.tensor, bytes, count_elements(named)));
  }
  return views;
}

}  // namespace

std::map<std::string, TensorView> read_torch_checkpoint(const std::filesystem::path& path) {
  refuse_other_formats(path);
  const ZipReader zip(path);
  const std::string folder = folder_of(path, zip);
  require_little_endian(path, zip, folder);
  return Reader(path, zip, folder).read(read_pickle(path, zip, folder));
}

}  // namespace regulus::storage
