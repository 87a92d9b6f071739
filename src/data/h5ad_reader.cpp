#include <utility>

#include "h5ad_columns.h"
#include "h5ad_matrix.h"
#include "regulus/core/error.h"
#include "regulus/data/h5ad.h"
#include "regulus/storage/hdf5.h"

namespace regulus::data {

namespace {

constexpr const char* kScalePath = "/uns/regulus/scale";

}  // namespace

Expression read_h5ad(const std::filesystem::path& path) {
  const auto file = storage::H5File::open_read(path);
  Expression expression;
  expression.cells = detail::read_index(file, "/obs");
  expression.genes = detail::read_genes(file);
  detail::SparseRows rows = detail::MatrixReader(file, expression.genes, expression.cell_count()).read_all();
  expression.row_begin = std::move(rows.begin);
  expression.column = std::move(rows.column);
  expression.value = std::move(rows.value);
  return expression;
}

std::optional<ValueScale> read_h5ad_scale(const std::filesystem::path& path) {
  const auto file = storage::H5File::open_read(path);
  if (!file.has(kScalePath)) return std::nullopt;
  const std::string text = file.read_string(kScalePath);
  for (const ValueScale scale : {ValueScale::Counts, ValueScale::LogNormalised, ValueScale::Other})
    if (text == to_string(scale)) return scale;
  throw InputError("unknown scale '" + text + "'", path.string() + ":" + kScalePath,
                   "the file was changed or written by another version of regulus");
}

std::vector<std::string> read_obs_column(const std::filesystem::path& path, const std::string& column) {
  const auto file = storage::H5File::open_read(path);
  return detail::read_column(file, "/obs", column);
}

}  // namespace regulus::data
