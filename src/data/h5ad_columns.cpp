#include "h5ad_columns.h"

#include <fmt/format.h>

#include "regulus/core/error.h"

namespace regulus::data::detail {

namespace {

using storage::H5File;
using storage::NodeKind;
using storage::ValueKind;

constexpr const char* kReSave = "write the file again with a current anndata: anndata.read_h5ad(f).write(f)";

std::string place(const H5File& file, const std::string& path) {
  return file.name() + ":" + path;
}

template <typename T>
std::vector<std::string> as_text(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T value : values) texts.push_back(fmt::format("{}", value));
  return texts;
}

std::vector<std::string> read_array(const H5File& file, const std::string& path) {
  switch (file.value_kind(path)) {
    case ValueKind::String:
      return file.read_strings(path);
    case ValueKind::Integer:
      return as_text(file.read<std::int64_t>(path));
    case ValueKind::Float:
      return as_text(file.read<double>(path));
    case ValueKind::Other:
      break;
  }
  throw InputError("holds neither strings nor numbers", place(file, path), kReSave);
}

std::vector<std::string> decode(const std::vector<std::int64_t>& codes,
                                const std::vector<std::string>& categories, const std::string& where) {
  std::vector<std::string> texts;
  texts.reserve(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] >= static_cast<std::int64_t>(categories.size()))
      throw InputError(fmt::format("entry {} has category {} of {}", i, codes[i], categories.size()), where,
                       "the file is damaged");
    texts.push_back(codes[i] < 0 ? std::string() : categories[static_cast<std::size_t>(codes[i])]);
  }
  return texts;
}

std::vector<std::string> masked(std::vector<std::string> values, const std::vector<std::int64_t>& mask,
                                const std::string& where) {
  if (mask.size() != values.size())
    throw InputError(fmt::format("{} values have a mask of {}", values.size(), mask.size()), where,
                     "the file is damaged");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (mask[i] != 0) values[i].clear();
  return values;
}

std::vector<std::string> read_encoded(const H5File& file, const std::string& path) {
  if (file.has(path + "/codes") && file.has(path + "/categories"))
    return decode(file.read<std::int64_t>(path + "/codes"), read_array(file, path + "/categories"),
                  place(file, path));
  if (file.has(path + "/values") && file.has(path + "/mask"))
    return masked(read_array(file, path + "/values"), file.read<std::int64_t>(path + "/mask"),
                  place(file, path));
  throw InputError("is neither a categorical nor a nullable column", place(file, path), kReSave);
}

/// Before anndata 0.7 a frame was one data set of records, a field each for the index and the columns.
bool is_records(const H5File& file, const std::string& frame) {
  if (!file.has(frame))
    throw InputError("is missing, so this is no AnnData file", place(file, frame),
                     "give a file written by anndata");
  return file.kind(frame) != NodeKind::Group;
}

}  // namespace

std::vector<std::string> read_column(const H5File& file, const std::string& frame,
                                     const std::string& column) {
  if (is_records(file, frame))
    throw InputError("columns of the layout of anndata before 0.7 are not read", place(file, frame), kReSave);
  const std::string path = frame + "/" + column;
  if (!file.has(path)) throw InputError("there is no such column", place(file, path));
  if (file.kind(path) == NodeKind::Group) return read_encoded(file, path);
  const std::string categories = frame + "/__categories/" + column;  // anndata 0.7
  if (file.has(categories))
    return decode(file.read<std::int64_t>(path), read_array(file, categories), place(file, path));
  return read_array(file, path);
}

std::vector<std::string> read_index(const H5File& file, const std::string& frame) {
  if (is_records(file, frame)) return file.read_string_field(frame, "index");
  if (!file.has_attribute(frame, "_index"))
    throw InputError("has no attribute _index that names its row names", place(file, frame), kReSave);
  return read_column(file, frame, file.read_attribute_string(frame, "_index"));
}

}  // namespace regulus::data::detail
