#include <utility>

#include "regulus/core/error.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/h5ad_parts.h"
#include "regulus/storage/hdf5.h"

namespace regulus::data {

namespace {

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
  auto file = storage::H5File::create(path);
  set_encoding(file, "/", "anndata", "0.1.0");
  write_csr(file, "/X", {expression.cell_count(), expression.gene_count()});
  file.write("/X/data", expression.value);
  file.write("/X/indices", expression.column);
  file.write("/X/indptr", expression.row_begin);
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
