#include "edge_anndata.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "edge_merge.h"
#include "regulus/core/error.h"
#include "regulus/data/cell_reader.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/h5ad_parts.h"

namespace regulus::report {

namespace {

using storage::EdgeStore;
using storage::H5File;

constexpr std::int64_t kBlock_edges = std::int64_t{1} << 16U;
constexpr const char* kMatrix = "/varp/regulus";
constexpr const char* kRecord = "/uns/regulus";
constexpr const char* kEdges = "/uns/regulus/edges";

using GeneIndex = std::unordered_map<std::string, std::int32_t>;

/// Places of the network's genes among those of the file.
GeneIndex index_of(const std::vector<std::string>& genes) {
  GeneIndex index;
  for (std::size_t gene = 0; gene < genes.size(); ++gene)
    index.emplace(genes[gene], static_cast<std::int32_t>(gene));
  return index;
}

/// Targets, then the sources that are no targets.
std::vector<std::string> genes_of(const EdgeStore& store) {
  std::vector<std::string> genes = store.header().targets;
  const GeneIndex targets = index_of(genes);
  for (const auto& source : store.header().sources)
    if (!targets.contains(source)) genes.push_back(source);
  return genes;
}

void require_all(const EdgeStore& store, const std::vector<std::string>& genes, const std::string& where) {
  const GeneIndex index = index_of(genes);
  std::vector<std::string> missing = genes_of(store);
  std::erase_if(missing, [&](const std::string& gene) { return index.contains(gene); });
  if (!missing.empty())
    throw InputError(std::to_string(missing.size()) + " genes of the network are missing, " +
                         missing.front() + " among them",
                     where, "give the file that the network was inferred with");
}

/// All edges, as the rows of a matrix over `genes`.
class MatrixWriter {
 public:
  MatrixWriter(const EdgeStore& store, const EdgeLimits& limits, const std::vector<std::string>& genes)
      : store_(store), limits_(limits), index_(index_of(genes)), size_(genes.size()) {
    for (std::size_t source = 0; source < store.header().sources.size(); ++source)
      by_row_.emplace_back(index_.at(store.header().sources[source]), static_cast<std::int64_t>(source));
    std::sort(by_row_.begin(), by_row_.end());
  }

  /// \return how many edges there are
  std::int64_t write(H5File& file) const {
    const std::vector<std::int64_t> row_begin = count_rows();
    data::write_csr(file, kMatrix, {static_cast<std::int64_t>(size_), static_cast<std::int64_t>(size_)});
    file.write(std::string(kMatrix) + "/indptr", row_begin);
    file.create_data_set<std::int32_t>(std::string(kMatrix) + "/indices", {row_begin.back()});
    file.create_data_set<float>(std::string(kMatrix) + "/data", {row_begin.back()});
    for (const auto& [row, source] : by_row_)
      write_row(file, row_of(source), row_begin[static_cast<std::size_t>(row)]);
    return row_begin.back();
  }

 private:
  using Row = std::vector<std::pair<std::int32_t, float>>;

  Row row_of(std::int64_t source) const {
    Row row;
    std::vector<Edge> ties;
    for (EdgeCursor cursor(store_, source, limits_, kBlock_edges); !cursor.at_end();) {
      cursor.take_ties(ties);
      for (const Edge& edge : ties)
        row.emplace_back(index_.at(store_.header().targets[static_cast<std::size_t>(edge.target)]),
                         edge.score);
    }
    std::sort(row.begin(), row.end());
    return row;
  }

  std::vector<std::int64_t> count_rows() const {
    std::vector<std::int64_t> begin(size_ + 1, 0);
    for (const auto& [row, source] : by_row_)
      begin[static_cast<std::size_t>(row) + 1] = static_cast<std::int64_t>(row_of(source).size());
    for (std::size_t row = 0; row < size_; ++row) begin[row + 1] += begin[row];
    return begin;
  }

  static void write_row(H5File& file, const Row& row, std::int64_t begin) {
    std::vector<std::int32_t> columns;
    std::vector<float> scores;
    for (const auto& [column, score] : row) {
      columns.push_back(column);
      scores.push_back(score);
    }
    const storage::Block block{{begin}, {static_cast<std::int64_t>(row.size())}};
    file.write_block<std::int32_t>(std::string(kMatrix) + "/indices", block, columns);
    file.write_block<float>(std::string(kMatrix) + "/data", block, scores);
  }

  const EdgeStore& store_;
  EdgeLimits limits_;
  GeneIndex index_;
  std::size_t size_;
  std::vector<std::pair<std::int32_t, std::int64_t>> by_row_;
};

/// The ranked edges as a data frame, written in blocks.
class FrameWriter {
 public:
  FrameWriter(H5File& file, const EdgeStore& store, std::int64_t edges) : file_(file), store_(store) {
    std::vector<std::string> columns{"source", "target", "score"};
    if (store.header().spread) columns.emplace_back("spread");
    if (store.header().false_discovery) columns.emplace_back("false_discovery");
    file.create_group(kEdges);
    data::set_encoding(file, kEdges, "dataframe", "0.2.0");
    file.write_attribute_string(kEdges, "_index", "_index");
    file.write_attribute_strings(kEdges, "column-order", columns);
    create_array<std::int64_t>("_index", edges);
    data::write_categories(file, path_of("source"), store.header().sources);
    data::write_categories(file, path_of("target"), store.header().targets);
    create_array<std::int32_t>("source/codes", edges);
    create_array<std::int32_t>("target/codes", edges);
    for (std::size_t column = 2; column < columns.size(); ++column)
      create_array<float>(columns[column], edges);
  }

  void append(const std::vector<Edge>& edges) {
    put<std::int32_t>("source/codes", edges, [](const Edge& edge) { return edge.source; });
    put<std::int32_t>("target/codes", edges, [](const Edge& edge) { return edge.target; });
    put<float>("score", edges, [](const Edge& edge) { return edge.score; });
    if (store_.header().spread) put<float>("spread", edges, [](const Edge& edge) { return edge.spread; });
    if (store_.header().false_discovery)
      put<float>("false_discovery", edges, [](const Edge& edge) { return edge.false_discovery; });
    std::int64_t number = written_;
    put<std::int64_t>("_index", edges, [&](const Edge&) { return number++; });
    written_ = number;
  }

 private:
  static std::string path_of(const std::string& name) { return std::string(kEdges) + "/" + name; }

  template <typename T>
  void create_array(const std::string& name, std::int64_t size) {
    file_.create_data_set<T>(path_of(name), {size});
    data::set_encoding(file_, path_of(name), "array", "0.2.0");
  }

  template <typename T, typename Field>
  void put(const std::string& name, const std::vector<Edge>& edges, Field field) {
    std::vector<T> values;
    for (const Edge& edge : edges) values.push_back(field(edge));
    file_.write_block<T>(path_of(name), {{written_}, {static_cast<std::int64_t>(values.size())}}, values);
  }

  H5File& file_;
  const EdgeStore& store_;
  std::int64_t written_ = 0;
};

void write_edges(H5File& file, const EdgeStore& store, const EdgeLimits& limits, std::int64_t edges) {
  FrameWriter frame(file, store, edges);
  EdgeMerge merge(store, limits);
  std::vector<Edge> block;
  for (Edge edge; merge.next(edge);) {
    block.push_back(edge);
    if (static_cast<std::int64_t>(block.size()) < kBlock_edges) continue;
    frame.append(block);
    block.clear();
  }
  frame.append(block);
}

/// No cells: the genes alone.
void write_genes(H5File& file, const std::vector<std::string>& genes) {
  data::write_csr(file, "/X", {0, static_cast<std::int64_t>(genes.size())});
  file.write("/X/data", std::vector<float>{});
  file.write("/X/indices", std::vector<std::int32_t>{});
  file.write("/X/indptr", std::vector<std::int64_t>{0});
  data::write_frame(file, "/obs", {}, {});
  data::write_frame(file, "/var", genes, {});
}

void copy_expression(H5File& file, const std::filesystem::path& expression) {
  const auto from = H5File::open_read(expression);
  for (const char* part : {"/X", "/obs", "/var"}) file.copy_from(from, part);
}

/// What was known about the expression before the network came to it.
void copy_record(H5File& file, const std::filesystem::path& expression) {
  if (const auto scale = data::read_h5ad_scale(expression))
    data::write_text(file, std::string(kRecord) + "/scale", to_string(*scale));
  const auto from = H5File::open_read(expression);
  const std::string provenance = std::string(kRecord) + "/provenance";
  if (from.has(provenance))
    data::write_text(file, std::string(kRecord) + "/expression_provenance", from.read_string(provenance));
}

/// The genes of the file to be written.
std::vector<std::string> genes_of_file(const EdgeStore& store, const ExportOptions& options) {
  if (options.expression.empty()) return genes_of(store);
  std::vector<std::string> genes = data::CellReader(options.expression).genes();
  require_all(store, genes, options.expression.string());
  return genes;
}

}  // namespace

void write_anndata(const EdgeStore& store, const ExportOptions& options) {
  const std::vector<std::string> genes = genes_of_file(store, options);
  const EdgeLimits limits{options.top_k, options.threshold};
  auto file = H5File::create(options.file);
  data::set_encoding(file, "/", "anndata", "0.1.0");
  if (options.expression.empty())
    write_genes(file, genes);
  else
    copy_expression(file, options.expression);
  for (const char* group : {"/layers", "/obsm", "/obsp", "/uns", kRecord, "/varm", "/varp"})
    data::write_dictionary(file, group);
  const std::int64_t edges = MatrixWriter(store, limits, genes).write(file);
  write_edges(file, store, limits, edges);
  data::write_text(file, std::string(kRecord) + "/provenance", store.header().provenance_json);
  if (!options.provenance_json.empty())
    data::write_text(file, std::string(kRecord) + "/export_provenance", options.provenance_json);
  if (!options.expression.empty()) copy_record(file, options.expression);
  file.close();
}

}  // namespace regulus::report
