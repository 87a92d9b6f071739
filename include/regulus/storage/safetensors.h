#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace regulus::storage {

/// Element types of tensor files (safetensors, PyTorch checkpoints) that regulus reads.
enum class DType { F64, F32, F16, BF16, I64, I32, I16, I8, U8, Bool };

std::size_t element_bytes(DType dtype);

/// A tensor as its file holds it: little-endian, row-major.
struct TensorView {
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;
};

/// Reads every tensor of a safetensors file, strictly: the header's length lies in the file, names are given
/// once, types are known, and the tensors cover the data without gap or overlap, each as long as its shape
/// says. \throws ModelError naming file, tensor and remedy \see https://huggingface.co/docs/safetensors
std::map<std::string, TensorView> read_safetensors(const std::filesystem::path& path);

/// The `__metadata__` of a safetensors file; empty if it has none. \throws ModelError
std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path);

/// Writes tensors in the order of their names, header padded to 8 bytes, whole or not at all. The same
/// tensors give the same bytes. \throws StorageError
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace regulus::storage
