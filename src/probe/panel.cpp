#include "regulus/probe/panel.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>

#include "regulus/core/error.h"
#include "regulus/core/random.h"
#include "regulus/data/mapping_report.h"

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

/// Positions in the panel by token.
std::unordered_map<std::int64_t, std::int64_t> positions_by_token(const ProbeJob& job) {
  std::unordered_map<std::int64_t, std::int64_t> positions;
  for (std::size_t i = 0; i < job.gene_ids.size(); ++i)
    positions.emplace(job.gene_ids[i], static_cast<std::int64_t>(i));
  return positions;
}

/// A name of the panel itself goes before what vocabulary and aliases make of it.
void set_sources(ProbeJob& job, const GeneNames& names, const std::vector<std::string>& sources,
                 PanelReport& report) {
  const NameIndex by_name(job.genes);
  const auto by_token = positions_by_token(job);
  const data::GeneMapping mapping = data::map_genes(names.vocabulary, sources, names.aliases);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto named = by_name.find(sources[i]);
    const auto token = by_token.find(mapping.matches[i].id);
    if (named)
      job.sources.push_back(*named);
    else if (token != by_token.end())
      job.sources.push_back(token->second);
    else
      report.unknown_sources.push_back(sources[i]);
  }
  std::sort(job.sources.begin(), job.sources.end());
  job.sources.erase(std::unique(job.sources.begin(), job.sources.end()), job.sources.end());
  if (job.sources.empty())
    throw InputError("none of the sources is a gene of the panel", "--sources",
                     "sources and genes must use the same gene symbols, or --aliases must connect them");
}

}  // namespace

PanelReport set_panel(ProbeJob& job, const GeneNames& names, const std::vector<std::string>& genes,
                      const std::vector<std::string>& sources) {
  PanelReport report{data::map_genes(names.vocabulary, genes, names.aliases), {}};
  data::require_hits(report.genes, names.vocabulary, 0.0, "--model");
  job.gene_ids = report.genes.ids;
  for (const std::int64_t position : report.genes.positions)
    job.genes.push_back(genes[static_cast<std::size_t>(position)]);
  set_sources(job, names, sources.empty() ? job.genes : sources, report);
  return report;
}

std::vector<std::int64_t> columns_of_panel(const ProbeJob& job, const GeneNames& names,
                                           const data::CellReader& expression) {
  const data::GeneMapping mapping = data::map_genes(names.vocabulary, expression.genes(), names.aliases);
  std::unordered_map<std::int64_t, std::int64_t> by_token;
  for (std::size_t i = 0; i < mapping.ids.size(); ++i) by_token.emplace(mapping.ids[i], mapping.positions[i]);
  std::vector<std::int64_t> columns;
  for (std::size_t g = 0; g < job.genes.size(); ++g) {
    const auto column = by_token.find(job.gene_ids[g]);
    if (column == by_token.end())
      throw InputError("gene '" + job.genes[g] + "' of the panel has no expression", "--expression",
                       "leave --genes out, or list only genes of the expression file");
    columns.push_back(column->second);
  }
  return columns;
}

std::shared_ptr<const ValueRows> virtual_background(const ProbeJob& job) {
  return std::make_shared<FixedRows>(job.gene_count(),
                                     std::vector<float>(job.genes.size(), static_cast<float>(job.v_b)));
}

std::vector<std::int64_t> sample_cells(const std::vector<std::int64_t>& pool, std::int64_t count,
                                       std::uint64_t seed) {
  const auto available = static_cast<std::int64_t>(pool.size());
  std::vector<std::int64_t> cells;
  for (const std::int64_t index :
       RandomStream(seed, "probe.cells").sample(available, std::min(count, available)))
    cells.push_back(pool[static_cast<std::size_t>(index)]);
  std::sort(cells.begin(), cells.end());  // neighbours in the file are read together
  return cells;
}

}  // namespace regulus::probe
