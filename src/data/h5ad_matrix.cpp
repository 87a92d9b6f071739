#include "h5ad_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "regulus/core/error.h"

namespace regulus::data::detail {

namespace {

using storage::H5File;
using storage::NodeKind;
using storage::ValueKind;

constexpr std::int64_t kDenseBlock_values = std::int64_t{1} << 22U;

std::string place(const H5File& file, const std::string& path) {
  return file.name() + ":" + path;
}

[[noreturn]] void damaged(const H5File& file, const std::string& path, const std::string& message) {
  throw InputError(message, place(file, path), "the file is damaged: write or download it again");
}

/// Compressed rows (CSR) or columns (CSC) as stored.
struct Compressed {
  std::vector<std::int64_t> begin;  ///< [major + 1]
  std::vector<std::int64_t> minor;
  std::vector<float> value;
};

/// Collects the rows, checks every value and brings each row into order.
class RowCollector {
 public:
  RowCollector(const H5File& file, Expression& expression) : file_(file), expression_(expression) {
    expression_.row_begin = {0};
    expression_.column.clear();
    expression_.value.clear();
  }

  void add(std::int64_t gene, float value) {
    if (!std::isfinite(value) || value < 0.0F) refuse(gene, value);
    if (value != 0.0F) row_.emplace_back(static_cast<std::int32_t>(gene), value);
  }

  /// Entries of the same gene are summed, which is what a repeated entry of a sparse matrix means.
  void end_row() {
    std::stable_sort(row_.begin(), row_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto begin = static_cast<std::size_t>(expression_.row_begin.back());
    for (const auto& [gene, value] : row_) {
      if (expression_.column.size() > begin && expression_.column.back() == gene) {
        expression_.value.back() += value;
      } else {
        expression_.column.push_back(gene);
        expression_.value.push_back(value);
      }
    }
    expression_.row_begin.push_back(static_cast<std::int64_t>(expression_.value.size()));
    row_.clear();
  }

 private:
  [[noreturn]] void refuse(std::int64_t gene, float value) const {
    const std::string& cell_name = expression_.cells[expression_.row_begin.size() - 1];
    const std::string& gene_name = expression_.genes[static_cast<std::size_t>(gene)];
    const bool negative = value < 0.0F && std::isfinite(value);
    const bool has_raw = file_.has("/raw/X");
    throw InputError(fmt::format("the value of gene {} in cell {} is {}", gene_name, cell_name,
                                 negative ? fmt::format("negative ({:g})", value) : "not a finite number"),
                     place(file_, "/X"),
                     has_raw
                         ? "X seems to be scaled; the file has raw values too: export adata.raw.to_adata()"
                         : "give counts or log-normalised values, not centred or scaled ones");
  }

  const H5File& file_;
  Expression& expression_;
  std::vector<std::pair<std::int32_t, float>> row_;
};

void require_numbers(const H5File& file, const std::string& path) {
  const ValueKind kind = file.value_kind(path);
  if (kind != ValueKind::Integer && kind != ValueKind::Float) damaged(file, path, "does not hold numbers");
}

void require_shape(const H5File& file, const std::vector<std::int64_t>& shape, const Expression& expression) {
  if (shape == std::vector<std::int64_t>{expression.cell_count(), expression.gene_count()}) return;
  damaged(file, "/X",
          fmt::format("the matrix is [{}], but there are {} names of cells in obs and {} of genes in var",
                      fmt::join(shape, " x "), expression.cell_count(), expression.gene_count()));
}

void read_dense(const H5File& file, Expression& expression) {
  require_numbers(file, "/X");
  require_shape(file, file.shape("/X"), expression);
  const std::int64_t genes = expression.gene_count();
  const std::int64_t rows_at_once = std::max<std::int64_t>(1, kDenseBlock_values / genes);
  RowCollector rows(file, expression);
  for (std::int64_t begin = 0; begin < expression.cell_count(); begin += rows_at_once) {
    const std::int64_t count = std::min(rows_at_once, expression.cell_count() - begin);
    const auto block = file.read_block<float>("/X", {{begin, 0}, {count, genes}});
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t gene = 0; gene < genes; ++gene)
        rows.add(gene, block[static_cast<std::size_t>(i * genes + gene)]);
      rows.end_row();
    }
  }
}

bool is_by_cell(const H5File& file) {
  std::string format;
  for (const char* name : {"encoding-type", "h5sparse_format"})
    if (format.empty() && file.has_attribute("/X", name)) format = file.read_attribute_string("/X", name);
  if (format == "csr_matrix" || format == "csr") return true;
  if (format == "csc_matrix" || format == "csc") return false;
  throw InputError("the matrix has the unknown encoding '" + format + "'", place(file, "/X"),
                   "regulus reads dense, csr_matrix and csc_matrix");
}

std::vector<std::int64_t> sparse_shape(const H5File& file) {
  for (const char* name : {"shape", "h5sparse_shape"})
    if (file.has_attribute("/X", name)) return file.read_attribute<std::int64_t>("/X", name);
  damaged(file, "/X", "the sparse matrix has no shape");
}

void check_offsets(const H5File& file, const Compressed& matrix, std::int64_t major) {
  const auto& begin = matrix.begin;
  if (begin.size() != static_cast<std::size_t>(major) + 1)
    damaged(file, "/X/indptr", fmt::format("has {} entries instead of {}", begin.size(), major + 1));
  if (begin.front() != 0)
    damaged(file, "/X/indptr", fmt::format("starts with {} instead of 0", begin.front()));
  for (std::size_t i = 1; i < begin.size(); ++i)
    if (begin[i] < begin[i - 1])
      damaged(file, "/X/indptr",
              fmt::format("decreases at entry {}, from {} to {}", i, begin[i - 1], begin[i]));
  if (begin.back() != static_cast<std::int64_t>(matrix.value.size()))
    damaged(file, "/X/indptr",
            fmt::format("ends with {}, but data has {} values", begin.back(), matrix.value.size()));
}

void check_indices(const H5File& file, const Compressed& matrix, std::int64_t minor) {
  if (matrix.minor.size() != matrix.value.size())
    damaged(file, "/X/indices",
            fmt::format("has {} entries, but data has {}", matrix.minor.size(), matrix.value.size()));
  for (std::size_t k = 0; k < matrix.minor.size(); ++k)
    if (matrix.minor[k] < 0 || matrix.minor[k] >= minor)
      damaged(file, "/X/indices",
              fmt::format("entry {} is {}, outside 0 to {}", k, matrix.minor[k], minor - 1));
}

Compressed read_compressed(const H5File& file, std::int64_t major, std::int64_t minor) {
  for (const char* part : {"/X/data", "/X/indices", "/X/indptr"})
    if (!file.has(part)) damaged(file, part, "is missing from the sparse matrix");
  require_numbers(file, "/X/data");
  Compressed matrix{file.read<std::int64_t>("/X/indptr"), file.read<std::int64_t>("/X/indices"),
                    file.read<float>("/X/data")};
  check_offsets(file, matrix, major);
  check_indices(file, matrix, minor);
  return matrix;
}

Compressed exchange(const Compressed& columns, std::int64_t row_count) {
  Compressed rows;
  rows.begin.assign(static_cast<std::size_t>(row_count) + 1, 0);
  for (const std::int64_t row : columns.minor) ++rows.begin[static_cast<std::size_t>(row) + 1];
  for (std::size_t row = 1; row < rows.begin.size(); ++row) rows.begin[row] += rows.begin[row - 1];
  std::vector<std::int64_t> next = rows.begin;
  rows.minor.resize(columns.minor.size());
  rows.value.resize(columns.value.size());
  for (std::size_t column = 0; column + 1 < columns.begin.size(); ++column) {
    for (auto k = static_cast<std::size_t>(columns.begin[column]);
         k < static_cast<std::size_t>(columns.begin[column + 1]); ++k) {
      const auto slot = static_cast<std::size_t>(next[static_cast<std::size_t>(columns.minor[k])]++);
      rows.minor[slot] = static_cast<std::int64_t>(column);
      rows.value[slot] = columns.value[k];
    }
  }
  return rows;
}

void read_sparse(const H5File& file, Expression& expression) {
  require_shape(file, sparse_shape(file), expression);
  const std::int64_t cells = expression.cell_count();
  const std::int64_t genes = expression.gene_count();
  const Compressed matrix = is_by_cell(file) ? read_compressed(file, cells, genes)
                                             : exchange(read_compressed(file, genes, cells), cells);
  RowCollector rows(file, expression);
  for (std::size_t cell = 0; cell < static_cast<std::size_t>(cells); ++cell) {
    for (auto k = static_cast<std::size_t>(matrix.begin[cell]);
         k < static_cast<std::size_t>(matrix.begin[cell + 1]); ++k)
      rows.add(matrix.minor[k], matrix.value[k]);
    rows.end_row();
  }
}

}  // namespace

void read_matrix(const H5File& file, Expression& expression) {
  if (!file.has("/X"))
    throw InputError("the AnnData file has no X", place(file, "/X"),
                     "put the values into X: adata.X = adata.layers[…]");
  if (file.kind("/X") == NodeKind::Group)
    read_sparse(file, expression);
  else
    read_dense(file, expression);
}

}  // namespace regulus::data::detail
