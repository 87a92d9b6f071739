#include <algorithm>
#include <string_view>

#include "pickle.h"
#include "regulus/core/error.h"
#include "regulus/storage/text_file.h"
#include "regulus/storage/torch_checkpoint.h"
#include "zip_archive.h"

namespace regulus::storage {

namespace {

constexpr std::string_view kFormatVersion = "3\n";

/// The folder inside the archive: the file's stem, as torch.save names it, where that is plain ASCII.
std::string folder_for(const std::filesystem::path& path) {
  const std::string stem = path.stem().string();
  const bool plain = std::all_of(stem.begin(), stem.end(), [](char c) { return c > ' ' && c <= '~'; });
  return plain && !stem.empty() ? stem : "archive";
}

/// A contiguous tensor that fills its own storage.
pickle::Tensor describe(const TensorView& view, const std::string& name, std::size_t number) {
  pickle::Tensor tensor{view.dtype, std::to_string(number), 1, 0, view.shape, {}};
  tensor.strides.resize(view.shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = view.shape.size(); axis > 0; --axis) {
    tensor.strides[axis - 1] = stride;
    stride *= std::max<std::int64_t>(view.shape[axis - 1], 1);
    tensor.storage_count *= static_cast<std::uint64_t>(view.shape[axis - 1]);
  }
  if (view.data.size() != tensor.storage_count * element_bytes(view.dtype))
    throw Error(ErrorKind::Internal, "has another length than its shape says", "tensor " + name);
  return tensor;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

void write_torch_checkpoint(const std::filesystem::path& path,
                            const std::map<std::string, TensorView>& tensors) {
  const std::string folder = folder_for(path);
  std::map<std::string, pickle::Tensor> described;
  std::vector<ZipRecord> data;
  for (const auto& [name, view] : tensors) {
    described.emplace(name, describe(view, name, data.size()));
    data.push_back({folder + "/data/" + described.at(name).storage, view.data});
  }
  const std::string pickled = pickle::write_state_dict(described);
  std::vector<ZipRecord> records{{folder + "/data.pkl", bytes_of(pickled)}};
  records.insert(records.end(), data.begin(), data.end());
  records.push_back({folder + "/version", bytes_of(kFormatVersion)});
  const auto bytes = zip_bytes(records, path);
  write_bytes_atomically(path, {bytes});
}

}  // namespace regulus::storage
