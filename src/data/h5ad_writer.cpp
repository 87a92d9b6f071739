#include <utility>

#include "regulus/core/error.h"
#include "regulus/data/h5ad.h"
#include "regulus/storage/hdf5.h"

namespace regulus::data {

namespace {

using storage::H5File;

void set_encoding(H5File& file, const std::string& path, const std::string& type,
                  const std::string& version) {
  file.write_attribute_string(path, "encoding-type", type);
  file.write_attribute_string(path, "encoding-version", version);
}

void write_dictionary(H5File& file, const std::string& path) {
  file.create_group(path);
  set_encoding(file, path, "dict", "0.1.0");
}

void write_text(H5File& file, const std::string& path, const std::string& text) {
  file.write_string(path, text);
  set_encoding(file, path, "string", "0.2.0");
}

void write_column(H5File& file, const std::string& path, const std::vector<std::string>& values) {
  file.write_strings(path, values);
  set_encoding(file, path, "string-array", "0.2.0");
}

void write_frame(H5File& file, const std::string& path, const std::vector<std::string>& names,
                 const std::vector<std::string>& columns) {
  file.create_group(path);
  set_encoding(file, path, "dataframe", "0.2.0");
  file.write_attribute_string(path, "_index", "_index");
  file.write_attribute_strings(path, "column-order", columns);
  write_column(file, path + "/_index", names);
}

void write_matrix(H5File& file, const Expression& expression) {
  file.create_group("/X");
  set_encoding(file, "/X", "csr_matrix", "0.1.0");
  file.write_attribute<std::int64_t>("/X", "shape", {expression.cell_count(), expression.gene_count()});
  file.write("/X/data", expression.value);
  file.write("/X/indices", expression.column);
  file.write("/X/indptr", expression.row_begin);
}

void require_whole(const Expression& expression, const H5adNotes& notes) {
  const bool offsets = expression.row_begin.size() == expression.cells.size() + 1 &&
                       expression.row_begin.back() == static_cast<std::int64_t>(expression.value.size());
  const bool datasets = notes.dataset.empty() || notes.dataset.size() == expression.cells.size();
  if (!offsets || !datasets || expression.column.size() != expression.value.size())
    throw Error(ErrorKind::Internal, "the parts of an expression matrix do not fit together");
}

}  // namespace

void write_h5ad(const std::filesystem::path& path, const Expression& expression, const H5adNotes& notes) {
  require_whole(expression, notes);
  auto file = H5File::create(path);
  set_encoding(file, "/", "anndata", "0.1.0");
  write_matrix(file, expression);
  const bool has_dataset = !notes.dataset.empty();
  write_frame(file, "/obs", expression.cells,
              has_dataset ? std::vector<std::string>{"dataset"} : std::vector<std::string>{});
  if (has_dataset) write_column(file, "/obs/dataset", notes.dataset);
  write_frame(file, "/var", expression.genes, {});
  for (const char* group : {"/layers", "/obsm", "/obsp", "/uns", "/uns/regulus", "/varm", "/varp"})
    write_dictionary(file, group);
  write_text(file, "/uns/regulus/scale", to_string(notes.scale));
  write_text(file, "/uns/regulus/provenance", notes.provenance_json);
  file.close();
}

}  // namespace regulus::data
