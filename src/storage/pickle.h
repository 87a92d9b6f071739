#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "regulus/storage/safetensors.h"

/// The part of Python's pickle that a PyTorch state dict needs.
namespace regulus::storage::pickle {

/// A tensor as a state dict describes it: a strided view of a storage, which is a record beside the pickle.
struct Tensor {
  DType dtype = DType::F32;
  std::string storage;              ///< the record's key
  std::uint64_t storage_count = 0;  ///< elements of the storage
  std::uint64_t offset = 0;         ///< of the first element, in elements
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< in elements, none negative
};

/// Reads the pickle of a state dict (protocol 2). Neither the sizes nor the records of its tensors are
/// checked. \param where the place, for errors \throws ModelError on anything that is no state dict
std::map<std::string, Tensor> read_state_dict(std::string_view bytes, const std::string& where);

/// The pickle of an OrderedDict of tensors, in the order of their names.
std::string write_state_dict(const std::map<std::string, Tensor>& tensors);

/// PyTorch's class for storages of a type: "FloatStorage".
std::string_view storage_class(DType dtype);

}  // namespace regulus::storage::pickle
