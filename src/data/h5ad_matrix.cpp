#include "h5ad_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "h5ad_columns.h"
#include "regulus/core/error.h"

namespace regulus::data::detail {

namespace {

using storage::H5File;
using storage::NodeKind;
using storage::ValueKind;

constexpr std::int64_t kBlock_values = std::int64_t{1} << 22U;
constexpr std::int64_t kBlock_rows = 4096;

std::string place(const H5File& file, const std::string& path) {
  return file.name() + ":" + path;
}

[[noreturn]] void damaged(const H5File& file, const std::string& path, const std::string& message) {
  throw InputError(message, place(file, path), "the file is damaged: write or download it again");
}

/// Collects rows and brings each into order.
class RowCollector {
 public:
  explicit RowCollector(SparseRows& rows) : rows_(rows) {}

  void add(std::int64_t gene, float value) {
    if (value != 0.0F) row_.emplace_back(static_cast<std::int32_t>(gene), value);
  }

  /// Entries of the same gene are summed, which is what a repeated entry of a sparse matrix means.
  void end_row() {
    std::stable_sort(row_.begin(), row_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto begin = static_cast<std::size_t>(rows_.begin.back());
    for (const auto& [gene, value] : row_) {
      if (rows_.column.size() > begin && rows_.column.back() == gene) {
        rows_.value.back() += value;
      } else {
        rows_.column.push_back(gene);
        rows_.value.push_back(value);
      }
    }
    rows_.begin.push_back(static_cast<std::int64_t>(rows_.value.size()));
    row_.clear();
  }

 private:
  SparseRows& rows_;
  std::vector<std::pair<std::int32_t, float>> row_;
};

void require_numbers(const H5File& file, const std::string& path) {
  const ValueKind kind = file.value_kind(path);
  if (kind != ValueKind::Integer && kind != ValueKind::Float) damaged(file, path, "does not hold numbers");
}

std::int64_t entry_count(const H5File& file, const std::string& path) {
  const std::vector<std::int64_t> shape = file.shape(path);
  if (shape.size() == 1) return shape.front();
  damaged(file, path, fmt::format("has {} dimensions instead of one", shape.size()));
}

}  // namespace

MatrixReader::MatrixReader(const H5File& file, const std::vector<std::string>& genes, std::int64_t cells,
                           MatrixPlace matrix_place)
    : file_(file), genes_(genes), cells_(cells), place_(std::move(matrix_place)) {
  if (cells == 0 || genes.empty()) throw InputError("there are no cells or no genes", file.name());
  if (!file.has(place_.path))
    throw InputError("the file has no " + place_.path.substr(1), where(),
                     "regulus prepare reads other matrices of an AnnData file with --layer or --raw");
  const bool sparse = file.kind(place_.path) == NodeKind::Group;
  if (!sparse) require_numbers(file, place_.path);
  const auto shape = stored_shape(sparse);
  const auto gene_count = static_cast<std::int64_t>(genes.size());
  if (shape != std::vector<std::int64_t>{cells, gene_count})
    damaged(file, place_.path,
            fmt::format("the matrix is [{}], but there are {} names of cells and {} of genes",
                        fmt::join(shape, " x "), cells, gene_count));
  if (sparse) check_sparse();
}

std::string MatrixReader::where() const {
  return place(file_, place_.path);
}

/// Cells x genes.
std::vector<std::int64_t> MatrixReader::stored_shape(bool sparse) const {
  if (!sparse) return file_.shape(place_.path);
  if (!place_.barcodes.empty()) {
    auto shape = file_.read<std::int64_t>(part("shape"));
    std::reverse(shape.begin(), shape.end());
    return shape;
  }
  for (const char* name : {"shape", "h5sparse_shape"})
    if (file_.has_attribute(place_.path, name)) return file_.read_attribute<std::int64_t>(place_.path, name);
  damaged(file_, place_.path, "the sparse matrix has no shape");
}

MatrixLayout MatrixReader::sparse_layout() const {
  if (!place_.barcodes.empty()) return MatrixLayout::ByCell;
  std::string format;
  for (const char* name : {"encoding-type", "h5sparse_format"})
    if (format.empty() && file_.has_attribute(place_.path, name))
      format = file_.read_attribute_string(place_.path, name);
  if (format == "csr_matrix" || format == "csr") return MatrixLayout::ByCell;
  if (format == "csc_matrix" || format == "csc") return MatrixLayout::ByGene;
  throw InputError("the matrix has the unknown encoding '" + format + "'", where(),
                   "regulus reads dense, csr_matrix and csc_matrix");
}

void MatrixReader::check_value(std::int64_t cell, std::int64_t gene, float value) const {
  if (!std::isfinite(value) || value < 0.0F) refuse(cell, gene, value);
}

/// The names of the cells are read only here: a reader of many cells does not hold them.
void MatrixReader::refuse(std::int64_t cell, std::int64_t gene, float value) const {
  const auto cells =
      place_.barcodes.empty() ? read_index(file_, "/obs") : file_.read_strings(place_.barcodes);
  const bool negative = value < 0.0F && std::isfinite(value);
  const bool has_raw = place_.path == "/X" && file_.has("/raw/X");
  throw InputError(
      fmt::format("the value of gene {} in cell {} is {}", genes_[static_cast<std::size_t>(gene)],
                  cells.at(static_cast<std::size_t>(cell)),
                  negative ? fmt::format("negative ({:g})", value) : "not a finite number"),
      where(),
      has_raw ? "X seems to be scaled; the file has raw values too: regulus prepare --raw reads them"
              : "give counts or log-normalised values, not centred or scaled ones");
}

/// The index of a stored gene in the result, or -1.
std::int64_t MatrixReader::kept(std::int64_t gene) const {
  return place_.kept_genes.empty() ? gene : place_.kept_genes[static_cast<std::size_t>(gene)];
}

/// What can be said without reading the whole: the ends of indptr, and that the sizes agree.
void MatrixReader::check_sparse() {
  layout_ = sparse_layout();
  for (const char* name : {"data", "indices", "indptr"})
    if (!file_.has(part(name))) damaged(file_, part(name), "is missing from the sparse matrix");
  require_numbers(file_, part("data"));
  stored_ = entry_count(file_, part("data"));
  const std::int64_t major =
      layout_ == MatrixLayout::ByCell ? cells_ : static_cast<std::int64_t>(genes_.size());
  const std::int64_t offsets = entry_count(file_, part("indptr"));
  if (offsets != major + 1)
    damaged(file_, part("indptr"), fmt::format("has {} entries instead of {}", offsets, major + 1));
  const std::int64_t first = file_.read_block<std::int64_t>(part("indptr"), {{0}, {1}}).front();
  if (first != 0) damaged(file_, part("indptr"), fmt::format("starts with {} instead of 0", first));
  const std::int64_t last = file_.read_block<std::int64_t>(part("indptr"), {{major}, {1}}).front();
  if (last != stored_)
    damaged(file_, part("indptr"), fmt::format("ends with {}, but data has {} values", last, stored_));
  const std::int64_t indices = entry_count(file_, part("indices"));
  if (indices != stored_)
    damaged(file_, part("indices"), fmt::format("has {} entries, but data has {}", indices, stored_));
}

/// count + 1 offsets, between which `count` rows or columns lie.
std::vector<std::int64_t> MatrixReader::read_offsets(std::int64_t begin, std::int64_t count) const {
  auto offsets = file_.read_block<std::int64_t>(part("indptr"), {{begin}, {count + 1}});
  for (std::size_t i = 1; i < offsets.size(); ++i)
    if (offsets[i] < offsets[i - 1])
      damaged(file_, part("indptr"),
              fmt::format("decreases at entry {}, from {} to {}", begin + static_cast<std::int64_t>(i),
                          offsets[i - 1], offsets[i]));
  if (offsets.front() < 0 || offsets.back() > stored_)
    damaged(file_, part("indptr"),
            fmt::format("entries {} to {} go from {} to {}, outside 0 to {}", begin, begin + count,
                        offsets.front(), offsets.back(), stored_));
  return offsets;
}

std::vector<std::int64_t> MatrixReader::read_indices(std::int64_t begin, std::int64_t count) const {
  auto indices = file_.read_block<std::int64_t>(part("indices"), {{begin}, {count}});
  const std::int64_t minor =
      layout_ == MatrixLayout::ByCell ? static_cast<std::int64_t>(genes_.size()) : cells_;
  for (std::size_t k = 0; k < indices.size(); ++k)
    if (indices[k] < 0 || indices[k] >= minor)
      damaged(file_, part("indices"),
              fmt::format("entry {} is {}, outside 0 to {}", begin + static_cast<std::int64_t>(k), indices[k],
                          minor - 1));
  return indices;
}

void MatrixReader::append_rows(std::int64_t begin, std::int64_t count, SparseRows& rows) const {
  if (layout_ == MatrixLayout::ByGene || begin < 0 || count < 0 || begin > cells_ - count)
    throw Error(ErrorKind::Internal, "rows of a matrix were asked for that cannot be read", file_.name());
  const std::int64_t end = begin + count;
  if (layout_ == MatrixLayout::Dense) {
    const auto genes = static_cast<std::int64_t>(genes_.size());
    const std::int64_t at_once = std::max<std::int64_t>(1, kBlock_values / genes);
    for (; begin < end; begin += at_once) append_dense(begin, std::min(at_once, end - begin), rows);
  } else {
    while (begin < end) begin += append_sparse(begin, std::min(kBlock_rows, end - begin), rows);
  }
}

void MatrixReader::append_dense(std::int64_t begin, std::int64_t count, SparseRows& rows) const {
  const auto genes = static_cast<std::int64_t>(genes_.size());
  const auto block = file_.read_block<float>(place_.path, {{begin, 0}, {count, genes}});
  RowCollector collector(rows);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t gene = 0; gene < genes; ++gene) {
      const float value = block[static_cast<std::size_t>(i * genes + gene)];
      check_value(begin + i, gene, value);
      collector.add(gene, value);
    }
    collector.end_row();
  }
}

/// As many of the rows as fit into a block, at least one. \return how many
std::int64_t MatrixReader::append_sparse(std::int64_t begin, std::int64_t count, SparseRows& rows) const {
  const std::vector<std::int64_t> offsets = read_offsets(begin, count);
  const auto too_far = std::upper_bound(offsets.begin() + 1, offsets.end(), offsets.front() + kBlock_values);
  const std::int64_t taken = std::max<std::int64_t>(1, too_far - offsets.begin() - 1);
  const std::int64_t size = offsets[static_cast<std::size_t>(taken)] - offsets.front();
  const auto genes = read_indices(offsets.front(), size);
  const auto values = file_.read_block<float>(part("data"), {{offsets.front()}, {size}});
  RowCollector collector(rows);
  std::size_t k = 0;
  for (std::size_t row = 1; row <= static_cast<std::size_t>(taken); ++row) {
    for (; k < static_cast<std::size_t>(offsets[row] - offsets.front()); ++k) {
      const std::int64_t gene = kept(genes[k]);
      if (gene < 0) continue;
      check_value(begin + static_cast<std::int64_t>(row) - 1, genes[k], values[k]);
      collector.add(gene, values[k]);
    }
    collector.end_row();
  }
  return taken;
}

SparseRows MatrixReader::read_all() const {
  if (layout_ == MatrixLayout::ByGene) return read_by_gene();
  SparseRows rows;
  reserve(rows.begin, cells_ + 1, where());
  reserve(rows.column, stored_, where());
  reserve(rows.value, stored_, where());
  append_rows(0, cells_, rows);
  return rows;
}

std::vector<std::int64_t> MatrixReader::row_lengths() const {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(cells_), 0);
  for (std::int64_t at = 0; at < stored_; at += kBlock_values)
    for (const std::int64_t cell : read_indices(at, std::min(kBlock_values, stored_ - at)))
      ++lengths[static_cast<std::size_t>(cell)];
  return lengths;
}

/// Two passes over the entries: the lengths of the rows, then every entry into its row.
SparseRows MatrixReader::read_by_gene() const {
  const std::vector<std::int64_t> offsets = read_offsets(0, static_cast<std::int64_t>(genes_.size()));
  SparseRows rows = rows_of_lengths(row_lengths(), where());
  std::vector<std::int64_t> next(rows.begin.begin(), rows.begin.end() - 1);
  std::size_t gene = 0;
  for (std::int64_t at = 0; at < stored_; at += kBlock_values) {
    const std::int64_t count = std::min(kBlock_values, stored_ - at);
    const auto cells = read_indices(at, count);
    const auto block = file_.read_block<float>(part("data"), {{at}, {count}});
    for (std::size_t k = 0; k < block.size(); ++k) {
      while (offsets[gene + 1] <= at + static_cast<std::int64_t>(k)) ++gene;
      check_value(cells[k], static_cast<std::int64_t>(gene), block[k]);
      const auto slot = static_cast<std::size_t>(next[static_cast<std::size_t>(cells[k])]++);
      rows.column[slot] = static_cast<std::int32_t>(gene);
      rows.value[slot] = block[k];
    }
  }
  settle_rows(rows, [](std::int64_t, std::int32_t) {});
  return rows;
}

}  // namespace regulus::data::detail
