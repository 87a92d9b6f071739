#include "regulus/data/matrix_market.h"

#include <algorithm>
#include <utility>

#include "coordinate_reader.h"
#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/text_table.h"
#include "sparse_rows.h"
#include "tenx_features.h"

namespace regulus::data {

namespace {

using detail::CoordinateEntry;
using detail::CoordinateReader;

constexpr const char* kMatrixName = "matrix.mtx";

std::string without_gz(const std::filesystem::path& path) {
  return (path.extension() == ".gz" ? path.stem() : path.filename()).string();
}

/// The first of the names that is there, gzipped or not; empty if none is.
std::filesystem::path find(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  std::error_code ignored;
  for (const auto& name : names)
    for (const char* suffix : {"", ".gz"})
      if (std::filesystem::exists(folder / (name + suffix), ignored)) return folder / (name + suffix);
  return {};
}

struct Files {
  std::filesystem::path matrix, features, barcodes;
};

Files files_of(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  if (!is_folder && !std::filesystem::exists(path, ignored))
    throw InputError("no such file or folder", path.string(), "check the path");
  const std::filesystem::path folder = is_folder ? path : path.parent_path();
  std::string prefix = is_folder ? std::string() : without_gz(path);
  if (!is_folder && !prefix.ends_with(kMatrixName))
    throw InputError("the name does not end in matrix.mtx or matrix.mtx.gz", path.string(),
                     "the names of genes and cells are looked for beside it: call it PREFIXmatrix.mtx, and "
                     "them PREFIXfeatures.tsv and PREFIXbarcodes.tsv");
  if (!is_folder) prefix.resize(prefix.size() - std::string(kMatrixName).size());
  const auto need = [&](const std::vector<std::string>& names) {
    std::filesystem::path file = find(folder, names);
    if (file.empty())
      throw InputError("there is no " + names.front() + " and no " + names.front() + ".gz",
                       folder.empty() ? "." : folder.string(),
                       "a MatrixMarket folder has matrix.mtx, features.tsv (or genes.tsv) and barcodes.tsv");
    return file;
  };
  return {is_folder ? need({kMatrixName}) : path, need({prefix + "features.tsv", prefix + "genes.tsv"}),
          need({prefix + "barcodes.tsv"})};
}

/// Hands every line's tab-separated fields on; blank lines only at the end.
template <typename Take>
void read_lines(const std::filesystem::path& file, Take take) {
  LineReader lines(file);
  std::vector<std::string> fields;
  std::string blank;
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) {
      blank = lines.where();
      continue;
    }
    if (!blank.empty()) throw InputError("a blank line between the names", blank, "remove it");
    split_fields(line, '\t', lines.where(), fields);
    if (fields.front().empty()) throw InputError("the first field is empty", lines.where());
    take(fields);
  }
}

/// Columns: id, symbol, type; files with fewer columns have only the first of them.
detail::TenxFeatures read_features(const std::filesystem::path& file) {
  detail::TenxFeatures features;
  read_lines(file, [&](const std::vector<std::string>& fields) {
    features.ids.push_back(fields[0]);
    features.names.push_back(fields.size() > 1 ? fields[1] : fields[0]);
    if (fields.size() > 2) features.types.push_back(fields[2]);
  });
  if (!features.types.empty() && features.types.size() != features.names.size())
    throw InputError("some lines have a third column, the type of the feature, and some have none",
                     file.string(), "every line must have the same columns");
  return features;
}

std::vector<std::string> read_barcodes(const std::filesystem::path& file) {
  std::vector<std::string> cells;
  read_lines(file, [&](const std::vector<std::string>& fields) { cells.push_back(fields[0]); });
  return cells;
}

/// One way through the matrix: hands on the cell, the kept gene and the value of every entry.
class EntryReader {
 public:
  EntryReader(std::filesystem::path file, std::size_t cells, const std::vector<std::int32_t>& kept_genes)
      : file_(std::move(file)), cells_(static_cast<std::int64_t>(cells)), kept_genes_(kept_genes) {
    const CoordinateReader matrix(file_);
    const auto genes = static_cast<std::int64_t>(kept_genes.size());
    cells_in_rows_ = matrix.rows() == cells_ && matrix.columns() == genes && genes != cells_;
    if (cells_in_rows_) log::info("{}: read as cells x genes, which alone fits the names", file_.string());
    if (!cells_in_rows_ && (matrix.rows() != genes || matrix.columns() != cells_))
      throw InputError("the matrix is " + std::to_string(matrix.rows()) + " x " +
                           std::to_string(matrix.columns()) + ", but there are " + std::to_string(genes) +
                           " features and " + std::to_string(cells_) + " barcodes",
                       file_.string(), "the files do not belong together");
  }

  template <typename Take>
  void each(Take take) const {
    CoordinateReader matrix(file_);
    for (CoordinateEntry entry; matrix.next(entry);) {
      if (cells_in_rows_) std::swap(entry.row, entry.column);
      const std::int32_t gene = kept_genes_[static_cast<std::size_t>(entry.row)];
      if (gene >= 0) take(static_cast<std::size_t>(entry.column), gene, entry.value, matrix);
    }
  }

  /// The entry that is there again: found on a further way through the file.
  [[noreturn]] void refuse_repeated(std::int64_t cell, std::int32_t gene) const {
    int seen = 0;
    each([&](std::size_t at_cell, std::int32_t at_gene, float, const CoordinateReader& matrix) {
      if (at_cell == static_cast<std::size_t>(cell) && at_gene == gene && ++seen == 2)
        throw InputError("an entry for the same gene and cell was there before", matrix.where(),
                         "write the file again with repeated entries summed: matrix.sum_duplicates()");
    });
    throw InputError("the file changed while it was read", file_.string());
  }

 private:
  std::filesystem::path file_;
  std::int64_t cells_;
  const std::vector<std::int32_t>& kept_genes_;
  bool cells_in_rows_ = false;
};

/// Twice through the matrix: the lengths of the rows, then every entry into its row.
detail::SparseRows read_rows(const EntryReader& reader, std::size_t cells, const std::string& where) {
  std::vector<std::int64_t> lengths(cells, 0);
  reader.each([&](std::size_t cell, std::int32_t, float, const CoordinateReader&) { ++lengths[cell]; });
  detail::SparseRows rows = detail::rows_of_lengths(lengths, where);
  std::vector<std::int64_t> next(rows.begin.begin(), rows.begin.end() - 1);
  reader.each([&](std::size_t cell, std::int32_t gene, float value, const CoordinateReader&) {
    if (next[cell] == rows.begin[cell + 1]) throw InputError("the file changed while it was read", where);
    const auto slot = static_cast<std::size_t>(next[cell]++);
    rows.column[slot] = gene;
    rows.value[slot] = value;
  });
  detail::settle_rows(rows,
                      [&](std::int64_t cell, std::int32_t gene) { reader.refuse_repeated(cell, gene); });
  return rows;
}

}  // namespace

bool is_matrix_market(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) || without_gz(path).ends_with(".mtx");
}

Expression read_matrix_market(const std::filesystem::path& path) {
  const Files files = files_of(path);
  std::vector<std::string> cells = read_barcodes(files.barcodes);
  detail::KeptGenes kept = detail::keep_genes(read_features(files.features), {}, files.features.string());
  const EntryReader reader(files.matrix, cells.size(), kept.new_index);
  detail::SparseRows rows = read_rows(reader, cells.size(), files.matrix.string());
  return detail::to_expression(std::move(rows), std::move(cells), std::move(kept.names));
}

}  // namespace regulus::data
