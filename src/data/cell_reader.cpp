#include "regulus/data/cell_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "h5ad_columns.h"
#include "h5ad_matrix.h"
#include "regulus/core/error.h"
#include "regulus/data/normalise.h"
#include "regulus/storage/hdf5.h"
#include "usable_values.h"

namespace regulus::data {

namespace {

constexpr std::int64_t kBlock_values = std::int64_t{1} << 22U;
constexpr std::int64_t kColumnBlock_cells = std::int64_t{1} << 16U;
constexpr std::int64_t kSampleGroups = 32;
constexpr std::int64_t kSampleGroup_cells = 64;
constexpr std::size_t kListedValues = 10;

/// Some of the distinct values of a column, for a message.
class SeenValues {
 public:
  void add(const std::string& value) {
    if (values_.size() <= kListedValues && std::find(values_.begin(), values_.end(), value) == values_.end())
      values_.push_back(value);
  }

  std::string listed() const {
    const std::size_t count = std::min(values_.size(), kListedValues);
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += (i > 0 ? ", " : "") + (values_[i].empty() ? "(missing)" : values_[i]);
    return text + (values_.size() > kListedValues ? ", …" : "");
  }

 private:
  std::vector<std::string> values_;
};

/// How the value is written in the column: h5py stores booleans as the integers 0 and 1.
std::string as_stored(const detail::Column& column, const std::string& value) {
  if (!column.holds_integers()) return value;
  if (value == "True" || value == "true") return "1";
  if (value == "False" || value == "false") return "0";
  return value;
}

std::int64_t run_length(std::span<const std::int64_t> cells, std::int64_t longest) {
  std::int64_t length = 1;
  while (length < longest && length < static_cast<std::int64_t>(cells.size()) &&
         cells[static_cast<std::size_t>(length)] == cells.front() + length)
    ++length;
  return length;
}

}  // namespace

struct CellReader::State {
  explicit State(const std::filesystem::path& path)
      : name(path),
        file(storage::H5File::open_read(path)),
        cells(detail::index_size(file, "/obs")),
        genes(detail::read_genes(file)),
        matrix(file, genes, cells) {}

  std::filesystem::path name;
  storage::H5File file;
  std::int64_t cells;
  std::vector<std::string> genes;
  detail::MatrixReader matrix;
  std::optional<detail::SparseRows> converted;

  void convert();
  ValueScale detect() const;
  std::int64_t rows_per_block() const;
  void read_run(std::int64_t begin, std::int64_t count, std::span<float> values) const;
};

void CellReader::State::convert() {
  const std::int64_t stored = matrix.stored_values();
  if (stored >= kMaxConverted_values)
    throw InputError(
        fmt::format("X is a csc_matrix of {} values, too large to be turned into rows in memory", stored),
        name.string() + ":/X",
        "regulus prepare writes rows: run regulus prepare --input " + name.string() +
            " --out PREPARED.h5ad, or write adata with adata.X.tocsr()");
  converted = matrix.read_all();
}

/// Groups of neighbouring cells spread over the file: neighbours are cheap to read.
ValueScale CellReader::State::detect() const {
  if (converted) return detect_scale({{}, {}, {}, {}, converted->value});
  detail::SparseRows rows;
  if (cells <= kSampleGroups * kSampleGroup_cells) {
    matrix.append_rows(0, cells, rows);
  } else {
    const std::int64_t last = cells - kSampleGroup_cells;
    const std::int64_t step = last / (kSampleGroups - 1);
    for (std::int64_t before_last = kSampleGroups - 1; before_last >= 0; --before_last)
      matrix.append_rows(last - before_last * step, kSampleGroup_cells, rows);
  }
  return detect_scale({{}, {}, {}, {}, std::move(rows.value)});
}

std::int64_t CellReader::State::rows_per_block() const {
  return std::max<std::int64_t>(1, kBlock_values / static_cast<std::int64_t>(genes.size()));
}

void CellReader::State::read_run(std::int64_t begin, std::int64_t count, std::span<float> values) const {
  detail::SparseRows piece;
  if (!converted) matrix.append_rows(begin, count, piece);
  const detail::SparseRows& rows = converted ? *converted : piece;
  const auto first = static_cast<std::size_t>(converted ? begin : 0);
  for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row)
    for (auto k = static_cast<std::size_t>(rows.begin[first + row]);
         k < static_cast<std::size_t>(rows.begin[first + row + 1]); ++k)
      values[row * genes.size() + static_cast<std::size_t>(rows.column[k])] = rows.value[k];
}

CellReader::CellReader(const std::filesystem::path& file) {
  detail::require_h5ad_name(file);
  state_ = std::make_unique<State>(file);
  if (state_->matrix.layout() == detail::MatrixLayout::ByGene) state_->convert();
  detail::require_usable_values(file, [&] { return state_->detect(); });
}

CellReader::CellReader(CellReader&&) noexcept = default;
CellReader& CellReader::operator=(CellReader&&) noexcept = default;
CellReader::~CellReader() = default;

const std::filesystem::path& CellReader::file() const {
  return state_->name;
}

const std::vector<std::string>& CellReader::genes() const {
  return state_->genes;
}

std::int64_t CellReader::gene_count() const {
  return static_cast<std::int64_t>(state_->genes.size());
}

std::int64_t CellReader::cell_count() const {
  return state_->cells;
}

std::vector<float> CellReader::read_rows(std::span<const std::int64_t> cells) const {
  for (const std::int64_t cell : cells)
    if (cell < 0 || cell >= state_->cells)
      throw Error(ErrorKind::Internal, fmt::format("cell {} of {} was asked for", cell, state_->cells),
                  state_->name.string());
  std::vector<float> values(cells.size() * state_->genes.size(), 0.0F);
  std::span<float> rest(values);
  while (!cells.empty()) {
    const std::int64_t count = run_length(cells, state_->rows_per_block());
    state_->read_run(cells.front(), count, rest);
    cells = cells.subspan(static_cast<std::size_t>(count));
    rest = rest.subspan(static_cast<std::size_t>(count) * state_->genes.size());
  }
  return values;
}

std::vector<std::int64_t> CellReader::cells_where(const std::string& name, const std::string& value) const {
  const detail::Column column(state_->file, "/obs", name);
  const std::string where = state_->name.string() + ":" + column.path();
  if (column.size() != state_->cells)
    throw InputError(fmt::format("has {} entries for {} cells", column.size(), state_->cells), where,
                     "the file is damaged: write or download it again");
  const std::string stored = as_stored(column, value);
  std::vector<std::int64_t> cells;
  SeenValues seen;
  for (std::int64_t begin = 0; begin < column.size(); begin += kColumnBlock_cells) {
    const auto texts = column.read(begin, std::min(kColumnBlock_cells, column.size() - begin));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (texts[i] == stored)
        cells.push_back(begin + static_cast<std::int64_t>(i));
      else
        seen.add(texts[i]);
    }
  }
  if (cells.empty())
    throw InputError("no cell has the value '" + value + "'", where, "its values are " + seen.listed());
  return cells;
}

}  // namespace regulus::data
