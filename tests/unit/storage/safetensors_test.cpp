#include "regulus/storage/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "regulus/storage/text_file.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;

template <typename T>
TensorView tensor(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  TensorView view{dtype, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(view.data.data(), values.data(), view.data.size());
  return view;
}

/// A file with this header and so many zero bytes of data.
std::string raw(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

/// What reading these bytes says; it must be a ModelError that names the file.
std::string refusal(const std::string& bytes) {
  const test::TempFolder folder;
  const auto path = folder / "x.safetensors";
  std::ofstream(path, std::ios::binary) << bytes;
  const std::string text = error_of(ErrorKind::Model, [&] { read_safetensors(path); });
  expect_mentions(text, path.string());
  error_of(ErrorKind::Model, [&] { read_safetensors_metadata(path); });
  return text;
}

TEST(Safetensors, RoundTripOfEveryType) {
  const test::TempFolder folder;
  const std::map<std::string, TensorView> tensors{{"f64", tensor<double>(DType::F64, {2}, {1.0, -0.1})},
                                                  {"f32", tensor<float>(DType::F32, {2, 1, 2}, {1, 2, 3, 4})},
                                                  {"f16", tensor<std::uint16_t>(DType::F16, {1}, {0x3c00})},
                                                  {"bf16", tensor<std::uint16_t>(DType::BF16, {1}, {0x3f80})},
                                                  {"i64", tensor<std::int64_t>(DType::I64, {}, {-5})},
                                                  {"i32", tensor<std::int32_t>(DType::I32, {1}, {7})},
                                                  {"i16", tensor<std::int16_t>(DType::I16, {1}, {-7})},
                                                  {"i8", tensor<std::int8_t>(DType::I8, {1}, {-7})},
                                                  {"u8", tensor<std::uint8_t>(DType::U8, {3}, {1, 2, 3})},
                                                  {"bool", tensor<std::uint8_t>(DType::Bool, {2}, {0, 1})},
                                                  {"empty", tensor<float>(DType::F32, {0, 4}, {})}};
  write_safetensors(folder / "x", tensors, {{"format", "pt"}});
  const auto again = read_safetensors(folder / "x");
  ASSERT_EQ(again.size(), tensors.size());
  for (const auto& [name, expected] : tensors) {
    EXPECT_EQ(again.at(name).dtype, expected.dtype) << name;
    EXPECT_EQ(again.at(name).shape, expected.shape) << name;
    EXPECT_EQ(again.at(name).data, expected.data) << name;
  }
  EXPECT_EQ(read_safetensors_metadata(folder / "x"), (std::map<std::string, std::string>{{"format", "pt"}}));
}

TEST(Safetensors, TheBytesAreThoseOfTheFormat) {
  const test::TempFolder folder;
  write_safetensors(folder / "x", {{"a", tensor<std::uint8_t>(DType::U8, {2}, {65, 66})}});
  const std::string header = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string expected = raw(padded, 0) + "AB";
  EXPECT_EQ(read_text(folder / "x"), expected);
}

TEST(Safetensors, ReadsTensorsInAnyOrderOfTheHeader) {
  const test::TempFolder folder;
  std::ofstream(folder / "x", std::ios::binary)
      << raw("{" + entry("b", "U8", "[1]", "[2,3]") + "," + entry("a", "U8", "[2]", "[0,2]") + "}", 0)
      << "xyz";
  const auto tensors = read_safetensors(folder / "x");
  EXPECT_EQ(tensors.at("b").data, std::vector<std::byte>{std::byte{'z'}});
  EXPECT_EQ(tensors.at("a").data, (std::vector<std::byte>{std::byte{'x'}, std::byte{'y'}}));
}

TEST(Safetensors, AHeaderThatCannotBeIsRefused) {
  expect_mentions(refusal(""), "too short");
  expect_mentions(refusal("1234567"), "too short");
  expect_mentions(refusal(std::string(8, '\xff')), "claims a header");
  const std::string whole = raw("{}", 0);
  expect_mentions(refusal(whole.substr(0, whole.size() - 1)), "claims a header");
  expect_mentions(refusal(raw("{\"a\":", 0)), "not JSON");
  expect_mentions(refusal(raw("", 0)), "not JSON");
  expect_mentions(refusal(raw("\"\xff\"", 0)), "not JSON");
  expect_mentions(refusal(raw("[1,2]", 0)), "not a JSON object");
  expect_mentions(refusal(raw("{\"__metadata__\":{\"a\":1}}", 0)), "__metadata__");
}

TEST(Safetensors, TensorsThatDoNotCoverTheDataAreRefused) {
  const std::string a = entry("a", "U8", "[4]", "[0,4]");
  expect_mentions(refusal(raw("{" + a + "," + entry("b", "U8", "[4]", "[3,7]") + "}", 7)), "overlaps");
  expect_mentions(refusal(raw("{" + a + "," + entry("b", "U8", "[4]", "[5,9]") + "}", 9)), "gap");
  expect_mentions(refusal(raw("{" + entry("b", "U8", "[4]", "[1,5]") + "}", 5)), "gap");
  expect_mentions(refusal(raw("{" + a + "}", 5)), "after its last");
  expect_mentions(refusal(raw("{" + a + "}", 3)), "shorter");
  expect_mentions(refusal(raw("{" + a + "," + entry("b", "U8", "[4]", "[0,4]") + "}", 4)), "overlaps");
}

TEST(Safetensors, TensorsThatContradictThemselvesAreRefused) {
  expect_mentions(refusal(raw("{" + entry("a", "F32", "[1]", "[0,3]") + "}", 3)), "'a'", "length");
  expect_mentions(refusal(raw("{" + entry("a", "U8", "[2]", "[4,2]") + "}", 4)), "'a'", "length");
  expect_mentions(refusal(raw("{" + entry("a", "F8", "[1]", "[0,1]") + "}", 1)), "'a'", "F8");
  const std::string a = entry("a", "U8", "[1]", "[0,1]");
  expect_mentions(refusal(raw("{" + a + "," + a + "}", 1)), "'a'", "twice");
  expect_mentions(refusal(raw("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1)), "'a'", "lacks");
  expect_mentions(refusal(raw("{\"a\":3}", 0)), "'a'", "lacks");
}

TEST(Safetensors, ShapesThatAreNoShapesAreRefused) {
  const auto shaped = [](const std::string& shape) {
    return raw("{" + entry("a", "F32", shape, "[0,4]") + "}", 4);
  };
  expect_mentions(refusal(shaped("[4611686018427387904,4]")), "impossible");
  expect_mentions(refusal(shaped("[18446744073709551615]")), "impossible");
  expect_mentions(refusal(shaped("[4294967296,4294967296]")), "impossible");
  expect_mentions(refusal(shaped("[0,4294967296,4294967296]")), "impossible");
  std::string long_shape = "[0";
  for (int i = 0; i < 64; ++i) long_shape += ",0";
  expect_mentions(refusal(shaped(long_shape + "]")), "too long");
  expect_mentions(refusal(shaped("[-1]")), "integers");
  expect_mentions(refusal(shaped("[1.5]")), "integers");
  expect_mentions(refusal(shaped("[true]")), "integers");
  expect_mentions(refusal(shaped("\"1\"")), "integers");
  expect_mentions(refusal(raw("{" + entry("a", "U8", "[1]", "[0,1,2]") + "}", 1)), "two data_offsets");
}

TEST(Safetensors, ATruncatedFileIsRefusedAtEveryLength) {
  const test::TempFolder folder;
  write_safetensors(folder / "x", {{"a", tensor<float>(DType::F32, {5}, {1, 2, 3, 4, 5})}}, {{"k", "v"}});
  const std::string whole = read_text(folder / "x");
  for (std::size_t length = 0; length < whole.size(); ++length) refusal(whole.substr(0, length));
}

TEST(Safetensors, NamesAreGivenOnceAtEveryDepth) {
  const std::string nothing = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  expect_mentions(refusal(raw(R"({"":)" + nothing + R"(,"":)" + nothing + "}", 0)), "'' twice");
  expect_mentions(refusal(raw(R"({"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}})", 0)),
                  "'dtype' twice");
}

TEST(Safetensors, ALongNameIsCutInTheMessage) {
  const std::string text =
      refusal(raw("{" + entry(std::string(100'000, 'n'), "F8", "[1]", "[0,1]") + "}", 1));
  expect_mentions(text, "nnn...'", "F8");
  EXPECT_LT(text.size(), 1000U);
}

/// A parser that looks through all tensors again at each of them would need minutes here.
TEST(Safetensors, ManyTensorsTakeTimeInProportion) {
  const test::TempFolder folder;
  std::map<std::string, TensorView> tensors;
  for (int i = 0; i < 50'000; ++i)
    tensors["t" + std::to_string(i)] = tensor<std::uint8_t>(DType::U8, {0}, {});
  write_safetensors(folder / "x", tensors);
  EXPECT_EQ(read_safetensors(folder / "x").size(), tensors.size());
}

TEST(Safetensors, DeepNestingIsRefused) {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  expect_mentions(refusal(raw("{\"a\":" + deep + "}", 0)), "'a'", "lacks");
  expect_mentions(refusal(raw(deep, 0)), "not a JSON object");
}

TEST(Safetensors, MissingAndUnwritableFiles) {
  const test::TempFolder folder;
  expect_mentions(error_of(ErrorKind::Model, [&] { read_safetensors(folder / "x"); }), "x", "cannot be read");
  error_of(ErrorKind::Model, [&] { read_safetensors(folder.path()); });
  error_of(ErrorKind::Model, [&] { read_safetensors("/dev/null"); });
  expect_mentions(error_of(ErrorKind::Storage, [&] { write_safetensors(folder / "no/x", {}); }), "no/x");
  expect_mentions(error_of(ErrorKind::Storage, [&] { write_safetensors("/dev/full", {}); }), "No space left");
}

TEST(Safetensors, ATensorOfTheWrongLengthIsNotWritten) {
  const test::TempFolder folder;
  const auto wrong = tensor<float>(DType::F32, {3}, {1, 2});
  expect_mentions(error_of(ErrorKind::Internal,
                           [&] {
                             write_safetensors(folder / "x", {{"a", wrong}});
                           }),
                  "tensor a");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace regulus::storage
