#include <fmt/format.h>

#include <utility>

#include "h5ad_columns.h"
#include "h5ad_matrix.h"
#include "regulus/core/error.h"
#include "regulus/data/h5ad.h"
#include "regulus/storage/hdf5.h"

namespace regulus::data {

namespace {

constexpr const char* kScalePath = "/uns/regulus/scale";

std::string layers_of(const storage::H5File& file) {
  const auto layers = file.has("/layers") ? file.children("/layers") : std::vector<std::string>{};
  return layers.empty() ? "there are none" : fmt::format("the layers are {}", fmt::join(layers, ", "));
}

/// Where the matrix is; checks that it is there.
std::string path_of(const storage::H5File& file, const H5adMatrix& matrix) {
  if (matrix.raw && !file.has("/raw/X"))
    throw InputError("the AnnData file has no raw part", file.name() + ":/raw/X", layers_of(file));
  if (matrix.raw) return "/raw/X";
  if (matrix.layer.empty()) return "/X";
  const std::string path = "/layers/" + matrix.layer;
  if (matrix.layer.find('/') != std::string::npos || !file.has(path))
    throw InputError("there is no such layer", file.name() + ":" + path, layers_of(file));
  return path;
}

}  // namespace

Expression read_h5ad(const std::filesystem::path& path, const H5adMatrix& matrix) {
  const auto file = storage::H5File::open_read(path);
  const std::string place = path_of(file, matrix);
  auto cells = detail::read_index(file, "/obs");
  auto genes = detail::read_genes(file, matrix.raw ? "/raw/var" : "/var");
  auto rows =
      detail::MatrixReader(file, genes, static_cast<std::int64_t>(cells.size()), {.path = place}).read_all();
  return detail::to_expression(std::move(rows), std::move(cells), std::move(genes));
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
