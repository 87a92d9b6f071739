#include "h5ad_columns.h"

#include <fmt/format.h>

#include <unordered_set>

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

std::int64_t length(const H5File& file, const std::string& path) {
  const std::vector<std::int64_t> shape = file.shape(path);
  if (shape.size() == 1) return shape.front();
  throw InputError(fmt::format("has {} dimensions instead of one", shape.size()), place(file, path),
                   "the file is damaged");
}

std::vector<std::string> read_texts(const H5File& file, const std::string& path,
                                    const storage::Block& block) {
  switch (file.value_kind(path)) {
    case ValueKind::String:
      return file.read_strings(path, block);
    case ValueKind::Integer:
      return as_text(file.read_block<std::int64_t>(path, block));
    case ValueKind::Float:
      return as_text(file.read_block<double>(path, block));
    case ValueKind::Other:
      break;
  }
  throw InputError("holds neither strings nor numbers", place(file, path), kReSave);
}

/// Before anndata 0.7 a frame was one data set of records, a field each for the index and the columns.
bool is_records(const H5File& file, const std::string& frame) {
  if (!file.has(frame))
    throw InputError("is missing, so this is no AnnData file", place(file, frame),
                     "give a file written by anndata");
  return file.kind(frame) != NodeKind::Group;
}

std::string columns_of(const H5File& file, const std::string& frame) {
  std::vector<std::string> columns = file.children(frame);
  std::erase(columns, "__categories");
  std::erase(columns, "_index");
  if (columns.empty()) return "there are none";
  return fmt::format("the columns are {}", fmt::join(columns, ", "));
}

std::string index_column(const H5File& file, const std::string& frame) {
  if (!file.has_attribute(frame, "_index"))
    throw InputError("has no attribute _index that names its row names", place(file, frame), kReSave);
  return file.read_attribute_string(frame, "_index");
}

}  // namespace

Column::Column(const H5File& file, const std::string& frame, const std::string& column)
    : file_(file), path_(frame + "/" + column), values_(path_) {
  if (is_records(file, frame))
    throw InputError("columns of the layout of anndata before 0.7 are not read", place(file, frame), kReSave);
  if (column.empty() || !file.has(path_))
    throw InputError("there is no such column", place(file, path_), columns_of(file, frame));
  const std::string old_categories = frame + "/__categories/" + column;  // anndata 0.7
  if (file.kind(path_) != NodeKind::Group) {
    if (file.has(old_categories)) category_path_ = old_categories;
  } else if (file.has(path_ + "/codes") && file.has(path_ + "/categories")) {
    values_ = path_ + "/codes";
    category_path_ = path_ + "/categories";
  } else if (file.has(path_ + "/values") && file.has(path_ + "/mask")) {
    values_ = path_ + "/values";
    mask_ = path_ + "/mask";
  } else {
    throw InputError("is neither a categorical nor a nullable column", place(file, path_), kReSave);
  }
  if (!category_path_.empty())
    categories_ = read_texts(file, category_path_, {{0}, {length(file, category_path_)}});
  size_ = length(file, values_);
  if (!mask_.empty() && length(file, mask_) != size_)
    throw InputError(fmt::format("{} values have a mask of {}", size_, length(file, mask_)),
                     place(file, path_), "the file is damaged");
}

bool Column::holds_integers() const {
  return file_.value_kind(category_path_.empty() ? values_ : category_path_) == ValueKind::Integer;
}

std::vector<std::string> Column::decoded(const std::vector<std::int64_t>& codes, std::int64_t begin) const {
  std::vector<std::string> texts;
  texts.reserve(codes.size());
  for (const std::int64_t code : codes) {
    if (code >= static_cast<std::int64_t>(categories_.size()))
      throw InputError(fmt::format("entry {} has category {} of {}",
                                   begin + static_cast<std::int64_t>(texts.size()), code, categories_.size()),
                       place(file_, path_), "the file is damaged");
    texts.push_back(code < 0 ? std::string() : categories_[static_cast<std::size_t>(code)]);
  }
  return texts;
}

std::vector<std::string> Column::read(std::int64_t begin, std::int64_t count) const {
  const storage::Block block{{begin}, {count}};
  if (!category_path_.empty()) return decoded(file_.read_block<std::int64_t>(values_, block), begin);
  std::vector<std::string> texts = read_texts(file_, values_, block);
  if (mask_.empty()) return texts;
  const auto mask = file_.read_block<std::int64_t>(mask_, block);
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (mask[i] != 0) texts[i].clear();
  return texts;
}

std::vector<std::string> read_column(const H5File& file, const std::string& frame,
                                     const std::string& column) {
  const Column whole(file, frame, column);
  return whole.read(0, whole.size());
}

std::vector<std::string> read_index(const H5File& file, const std::string& frame) {
  if (is_records(file, frame)) return file.read_string_field(frame, "index");
  return read_column(file, frame, index_column(file, frame));
}

std::int64_t index_size(const H5File& file, const std::string& frame) {
  if (is_records(file, frame)) return length(file, frame);
  return Column(file, frame, index_column(file, frame)).size();
}

std::vector<std::string> read_genes(const H5File& file, const std::string& frame) {
  std::vector<std::string> genes = read_index(file, frame);
  std::unordered_set<std::string> seen;
  for (const std::string& gene : genes) {
    if (gene.empty()) throw InputError("a gene has an empty name", place(file, frame));
    if (!seen.insert(gene).second)
      throw InputError("gene " + gene + " appears twice", place(file, frame),
                       "sum or drop repeated genes, or use adata.var_names_make_unique()");
  }
  return genes;
}

}  // namespace regulus::data::detail
