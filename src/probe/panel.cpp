#include "regulus/probe/panel.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "regulus/core/error.h"
#include "regulus/core/random.h"
#include "regulus/data/gene_names.h"

namespace regulus::probe {

namespace {

/// Positions of names: by the exact symbol, then by the upper-case form of both.
class NameIndex {
 public:
  explicit NameIndex(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      exact_.emplace(names[i], static_cast<std::int64_t>(i));
      upper_.emplace(data::upper_case(names[i]), static_cast<std::int64_t>(i));
    }
  }

  std::optional<std::int64_t> find(const std::string& name) const {
    if (const auto found = exact_.find(name); found != exact_.end()) return found->second;
    if (const auto found = upper_.find(data::upper_case(name)); found != upper_.end()) return found->second;
    return std::nullopt;
  }

 private:
  std::unordered_map<std::string, std::int64_t> exact_, upper_;
};

void set_sources(ProbeJob& job, const std::vector<std::string>& sources, PanelReport& report) {
  const NameIndex index(job.genes);
  for (const std::string& source : sources.empty() ? job.genes : sources) {
    if (const auto position = index.find(source))
      job.sources.push_back(*position);
    else
      report.unknown_sources.push_back(source);
  }
  std::sort(job.sources.begin(), job.sources.end());
  job.sources.erase(std::unique(job.sources.begin(), job.sources.end()), job.sources.end());
  if (job.sources.empty())
    throw InputError("none of the sources is a gene of the panel", "--sources",
                     "sources and genes must use the same gene symbols");
}

/// Columns of the panel's genes in an expression matrix.
std::vector<std::int64_t> columns_of_panel(const ProbeJob& job, const data::Expression& expression) {
  const NameIndex index(expression.genes);
  std::vector<std::int64_t> columns;
  for (const std::string& gene : job.genes) {
    const auto position = index.find(gene);
    if (!position)
      throw InputError("gene '" + gene + "' of the panel has no expression", "--expression",
                       "leave --genes out, or list only genes of the expression file");
    columns.push_back(*position);
  }
  return columns;
}

}  // namespace

PanelReport set_panel(ProbeJob& job, const data::Vocabulary& vocabulary,
                      const std::vector<std::string>& genes, const std::vector<std::string>& sources) {
  const data::GeneMapping mapping = data::map_genes(vocabulary, genes);
  if (mapping.ids.empty())
    throw InputError("none of the " + std::to_string(genes.size()) + " genes is in the model's vocabulary",
                     "--model",
                     "check the species and the kind of gene names: the model knows symbols such as " +
                         (vocabulary.size() > 0 ? vocabulary.token(0) : std::string("none")));
  PanelReport report{mapping.missing, {}};
  job.gene_ids = mapping.ids;
  for (const std::int64_t position : mapping.positions)
    job.genes.push_back(genes[static_cast<std::size_t>(position)]);
  set_sources(job, sources, report);
  return report;
}

ValueRows virtual_background(const ProbeJob& job) {
  return {job.gene_count(), std::vector<float>(job.genes.size(), static_cast<float>(job.v_b))};
}

ValueRows mean_background(const ProbeJob& job, const data::Expression& expression) {
  const std::vector<double> means = expression.gene_means();
  ValueRows rows{job.gene_count(), {}};
  for (const std::int64_t column : columns_of_panel(job, expression))
    rows.values.push_back(static_cast<float>(means[static_cast<std::size_t>(column)]));
  return rows;
}

ValueRows sample_cells(const ProbeJob& job, const data::Expression& expression, std::int64_t count,
                       std::uint64_t seed) {
  const std::vector<std::int64_t> columns = columns_of_panel(job, expression);
  const std::int64_t available = expression.cell_count();
  ValueRows rows{job.gene_count(), {}};
  for (const std::int64_t cell :
       RandomStream(seed, "probe.cells").sample(available, std::min(count, available))) {
    const std::vector<float> row = expression.dense_row(cell);
    for (const std::int64_t column : columns) rows.values.push_back(row[static_cast<std::size_t>(column)]);
  }
  return rows;
}

}  // namespace regulus::probe
