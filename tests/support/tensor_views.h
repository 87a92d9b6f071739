#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "regulus/storage/safetensors.h"

namespace regulus::test {

using storage::DType;
using storage::TensorView;
using Tensors = std::map<std::string, TensorView>;

template <typename T>
TensorView tensor(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  TensorView view{dtype, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(view.data.data(), values.data(), view.data.size());
  return view;
}

inline std::vector<float> floats(const TensorView& view) {
  std::vector<float> values(view.data.size() / sizeof(float));
  std::memcpy(values.data(), view.data.data(), view.data.size());
  return values;
}

inline std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// Named after their types; "empty" has no element.
inline Tensors of_every_type() {
  return {{"f64", tensor<double>(DType::F64, {2}, {1.0, -0.1})},
          {"f32", tensor<float>(DType::F32, {2, 1, 2}, {1, 2, 3, 4})},
          {"f16", tensor<std::uint16_t>(DType::F16, {1}, {0x3c00})},
          {"bf16", tensor<std::uint16_t>(DType::BF16, {1}, {0x3f80})},
          {"i64", tensor<std::int64_t>(DType::I64, {}, {-5})},
          {"i32", tensor<std::int32_t>(DType::I32, {300}, std::vector<std::int32_t>(300, 7))},
          {"i16", tensor<std::int16_t>(DType::I16, {2}, {-1, 300})},
          {"i8", tensor<std::int8_t>(DType::I8, {2}, {-1, 3})},
          {"u8", tensor<std::uint8_t>(DType::U8, {3}, {1, 2, 3})},
          {"bool", tensor<std::uint8_t>(DType::Bool, {2}, {0, 1})},
          {"empty", tensor<float>(DType::F32, {0, 4}, {})}};
}

inline void expect_same(const Tensors& tensors, const Tensors& expected) {
  ASSERT_EQ(tensors.size(), expected.size());
  for (const auto& [name, view] : expected) {
    EXPECT_EQ(tensors.at(name).dtype, view.dtype) << name;
    EXPECT_EQ(tensors.at(name).shape, view.shape) << name;
    EXPECT_EQ(tensors.at(name).data, view.data) << name;
  }
}

}  // namespace regulus::test
