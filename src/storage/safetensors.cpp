#include "regulus/storage/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "regulus/core/error.h"
#include "regulus/core/printable.h"
#include "regulus/storage/strict_json.h"
#include "regulus/storage/text_file.h"

namespace regulus::storage {

namespace {

constexpr const char* kMetadata = "__metadata__";
constexpr std::uint64_t kLongestHeader_bytes = 100'000'000;  // the reference implementation's limit
constexpr std::size_t kMostDimensions = 64;                  // PyTorch's limit

const std::vector<std::pair<std::string, DType>>& dtype_names() {
  static const std::vector<std::pair<std::string, DType>> names{
      {"F64", DType::F64}, {"F32", DType::F32},  {"F16", DType::F16}, {"BF16", DType::BF16},
      {"I64", DType::I64}, {"I32", DType::I32},  {"I16", DType::I16}, {"I8", DType::I8},
      {"U8", DType::U8},   {"BOOL", DType::Bool}};
  return names;
}

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  throw ModelError(what, path.string(),
                   "the file is damaged or not a safetensors file: copy or write it again");
}

struct Entry {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

struct Header {
  std::vector<Entry> entries;  // by position in the file
  std::map<std::string, std::string> metadata;
  std::uint64_t data_begin = 0;
  std::uint64_t data_bytes = 0;
};

nlohmann::json parse_strictly(const std::filesystem::path& path, const std::string& text) {
  if (const auto repeated = repeated_key(text))
    damaged(path, fmt::format("gives the name '{}' twice", printable(*repeated)));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) damaged(path, "has a header that is not JSON");
  if (!json.is_object()) damaged(path, "has a header that is not a JSON object");
  return json;
}

DType parse_dtype(const std::filesystem::path& path, const std::string& name, const std::string& text) {
  for (const auto& [known, dtype] : dtype_names())
    if (known == text) return dtype;
  damaged(path, fmt::format("tensor '{}' has the unknown type '{}'", printable(name), printable(text)));
}

/// Bytes of a shape, refusing what does not fit into memory's address range, even where another extent is 0.
std::uint64_t shape_bytes(const std::filesystem::path& path, const Entry& entry) {
  std::uint64_t bytes = element_bytes(entry.dtype);
  for (const std::int64_t extent : entry.shape) {
    const auto e = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 1));
    if (extent < 0 || bytes > std::numeric_limits<std::int64_t>::max() / e)
      damaged(path, fmt::format("tensor '{}' has an impossible shape", printable(entry.name)));
    bytes *= e;
  }
  return std::find(entry.shape.begin(), entry.shape.end(), 0) != entry.shape.end() ? 0 : bytes;
}

/// Non-negative integers only: plain conversion would round 1.5 and read true as 1.
std::vector<std::uint64_t> parse_integers(const std::filesystem::path& path, const std::string& name,
                                          const nlohmann::json& json) {
  const auto is_integer = [](const nlohmann::json& value) { return value.is_number_unsigned(); };
  if (!json.is_array() || json.size() > kMostDimensions || !std::all_of(json.begin(), json.end(), is_integer))
    damaged(path,
            fmt::format("tensor '{}' has a shape or data_offsets that are not lists of integers or too long",
                        printable(name)));
  return json.get<std::vector<std::uint64_t>>();
}

Entry parse_entry(const std::filesystem::path& path, const std::string& name, const nlohmann::json& json) {
  Entry entry;
  entry.name = name;
  try {
    entry.dtype = parse_dtype(path, name, json.at("dtype").get<std::string>());
    const auto shape = parse_integers(path, name, json.at("shape"));
    entry.shape.assign(shape.begin(), shape.end());
    const auto offsets = parse_integers(path, name, json.at("data_offsets"));
    if (offsets.size() != 2)
      damaged(path, fmt::format("tensor '{}' needs two data_offsets", printable(name)));
    entry.begin = offsets[0];
    entry.end = offsets[1];
  } catch (const nlohmann::json::exception&) {
    damaged(path,
            fmt::format("tensor '{}' lacks dtype, shape or data_offsets of the right type", printable(name)));
  }
  if (entry.end < entry.begin || entry.end - entry.begin != shape_bytes(path, entry))
    damaged(path, fmt::format("tensor '{}' has another length than its shape says", printable(name)));
  return entry;
}

void check_coverage(const std::filesystem::path& path, const Header& header) {
  std::uint64_t cursor = 0;
  for (const Entry& entry : header.entries) {
    if (entry.begin < cursor)
      damaged(path, fmt::format("tensor '{}' overlaps another", printable(entry.name)));
    if (entry.begin > cursor)
      damaged(path, fmt::format("has a gap before tensor '{}'", printable(entry.name)));
    cursor = entry.end;
  }
  if (cursor < header.data_bytes) damaged(path, "has bytes after its last tensor");
  if (cursor > header.data_bytes) damaged(path, "is shorter than its header says");
}

std::map<std::string, std::string> parse_metadata(const std::filesystem::path& path,
                                                  const nlohmann::json& json) {
  try {
    return json.get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception&) {
    damaged(path, "has a __metadata__ that is not a map of strings");
  }
}

std::ifstream open(const std::filesystem::path& path) {
  std::error_code ignored;
  std::ifstream stream(path, std::ios::binary);
  if (!stream || !std::filesystem::is_regular_file(path, ignored))
    throw ModelError("cannot be read", path.string(), "check the path and its permissions");
  return stream;
}

std::string read_header_text(const std::filesystem::path& path, std::ifstream& stream,
                             std::uint64_t file_bytes) {
  std::uint64_t length = 0;
  if (file_bytes < sizeof length) damaged(path, "is too short for a safetensors header");
  stream.read(reinterpret_cast<char*>(&length), sizeof length);
  if (length > file_bytes - sizeof length || length > kLongestHeader_bytes)
    damaged(path, fmt::format("claims a header of {} bytes", length));
  std::string text(length, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  if (!stream) damaged(path, "ends within its header");
  return text;
}

Header read_header(const std::filesystem::path& path, std::ifstream& stream) {
  const std::uint64_t file_bytes = std::filesystem::file_size(path);
  const std::string text = read_header_text(path, stream, file_bytes);
  Header header;
  header.data_begin = sizeof(std::uint64_t) + text.size();
  header.data_bytes = file_bytes - header.data_begin;
  const nlohmann::json json = parse_strictly(path, text);
  for (const auto& [name, value] : json.items()) {
    if (name == kMetadata)
      header.metadata = parse_metadata(path, value);
    else
      header.entries.push_back(parse_entry(path, name, value));
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_coverage(path, header);
  return header;
}

std::size_t element_count(const std::vector<std::int64_t>& shape) {
  return std::accumulate(
      shape.begin(), shape.end(), std::size_t{1},
      [](std::size_t product, std::int64_t extent) { return product * static_cast<std::size_t>(extent); });
}

std::string name_of(DType dtype) {
  const auto known = std::find_if(dtype_names().begin(), dtype_names().end(),
                                  [&](const auto& entry) { return entry.second == dtype; });
  return known->first;
}

std::string header_text(const std::map<std::string, TensorView>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  using Json = nlohmann::ordered_json;
  Json json = Json::object();
  auto& entries = json.get_ref<Json::object_t&>();  // operator[] would look through all names each time
  if (!metadata.empty()) entries.emplace_back(kMetadata, metadata);
  std::uint64_t cursor = 0;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.data.size() != element_bytes(tensor.dtype) * element_count(tensor.shape))
      throw Error(ErrorKind::Internal, "has another length than its shape says", "tensor " + name);
    entries.emplace_back(name, Json{{"dtype", name_of(tensor.dtype)},
                                    {"shape", tensor.shape},
                                    {"data_offsets", {cursor, cursor + tensor.data.size()}}});
    cursor += tensor.data.size();
  }
  std::string text = json.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

std::size_t element_bytes(DType dtype) {
  switch (dtype) {
    case DType::F64:
    case DType::I64:
      return 8;
    case DType::F32:
    case DType::I32:
      return 4;
    case DType::F16:
    case DType::BF16:
    case DType::I16:
      return 2;
    case DType::I8:
    case DType::U8:
    case DType::Bool:
      break;
  }
  return 1;
}

std::map<std::string, TensorView> read_safetensors(const std::filesystem::path& path) {
  std::ifstream stream = open(path);
  const Header header = read_header(path, stream);
  std::map<std::string, TensorView> tensors;
  for (const Entry& entry : header.entries) {
    TensorView tensor{entry.dtype, entry.shape, std::vector<std::byte>(entry.end - entry.begin)};
    stream.read(reinterpret_cast<char*>(tensor.data.data()),
                static_cast<std::streamsize>(tensor.data.size()));
    if (!stream) damaged(path, fmt::format("ends within tensor '{}'", printable(entry.name)));
    tensors.emplace(entry.name, std::move(tensor));
  }
  return tensors;
}

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
  std::ifstream stream = open(path);
  return read_header(path, stream).metadata;
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string text = header_text(tensors, metadata);
  const std::uint64_t length = text.size();
  std::vector<std::span<const std::byte>> pieces{std::as_bytes(std::span(&length, 1)),
                                                 std::as_bytes(std::span(text))};
  for (const auto& entry : tensors) pieces.emplace_back(entry.second.data);
  write_bytes_atomically(path, pieces);
}

}  // namespace regulus::storage
