#pragma once

#include <cstring>
#include <type_traits>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/storage/safetensors.h"

namespace regulus::storage {

/// The element type of a tensor file that holds values of type T.
template <typename T>
constexpr DType dtype_of() {
  static_assert(std::is_same_v<T, double> || std::is_same_v<T, float> || std::is_same_v<T, std::int64_t>);
  if constexpr (std::is_same_v<T, double>) return DType::F64;
  if constexpr (std::is_same_v<T, float>) return DType::F32;
  return DType::I64;
}

/// Values as a tensor of one dimension.
template <typename T>
TensorView to_tensor(const std::vector<T>& values) {
  TensorView view{dtype_of<T>(), {static_cast<std::int64_t>(values.size())}, {}};
  view.data.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(view.data.data(), values.data(), view.data.size());
  return view;
}

/// The values of a tensor. \throws ModelError, without naming the file, if there is no such tensor or its
/// elements are of another type
template <typename T>
std::vector<T> tensor_values(const std::map<std::string, TensorView>& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.dtype != dtype_of<T>())
    throw ModelError("has no usable tensor '" + name + "'");
  std::vector<T> values(found->second.data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), found->second.data.data(), found->second.data.size());
  return values;
}

}  // namespace regulus::storage
