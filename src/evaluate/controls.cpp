#include "regulus/evaluate/controls.h"

#include <cmath>
#include <set>

#include "regulus/translator/gene_filter.h"

namespace regulus::evaluate {

using translator::gene_key;
using translator::GeneFilter;

namespace {

/// Degree of every listed gene, log1p.
std::vector<double> log_degrees(const std::unordered_map<std::string, std::int64_t>& degree,
                                const std::vector<std::string>& genes) {
  std::vector<double> result;
  for (const std::string& gene : genes) {
    const auto found = degree.find(gene_key(gene));
    result.push_back(found == degree.end() ? 0.0 : std::log1p(static_cast<double>(found->second)));
  }
  return result;
}

}  // namespace

DegreeControl::DegreeControl(const std::vector<data::Network>& training,
                             const std::vector<std::string>& seen_genes) {
  const GeneFilter seen = GeneFilter::only(seen_genes);
  for (const data::Network& network : training)
    for (const data::Edge& edge : network.edges) {
      if (!seen.admits(edge.source) || !seen.admits(edge.target)) continue;
      ++out_[gene_key(edge.source)];
      ++in_[gene_key(edge.target)];
    }
}

std::vector<double> DegreeControl::scores(const std::vector<std::string>& sources,
                                          const std::vector<std::string>& targets,
                                          const translator::LabelledPairs& pairs) const {
  const auto out = log_degrees(out_, sources);
  const auto in = log_degrees(in_, targets);
  std::vector<double> result(pairs.label.size());
  for (std::size_t pair = 0; pair < result.size(); ++pair)
    result[pair] =
        out[static_cast<std::size_t>(pairs.source[pair])] + in[static_cast<std::size_t>(pairs.target[pair])];
  return result;
}

Overlap overlap(const std::vector<std::string>& sources, const std::vector<std::string>& targets,
                const translator::LabelledPairs& pairs, const std::vector<std::string>& seen_genes) {
  const GeneFilter seen = GeneFilter::only(seen_genes);
  std::vector<int> source_seen, target_seen;
  for (const std::string& gene : sources) source_seen.push_back(seen.admits(gene) ? 1 : 0);
  for (const std::string& gene : targets) target_seen.push_back(seen.admits(gene) ? 1 : 0);
  std::vector<bool> source_used(sources.size()), target_used(targets.size());
  Overlap result{.pairs = pairs.size()};
  for (std::size_t pair = 0; pair < pairs.label.size(); ++pair) {
    const auto s = static_cast<std::size_t>(pairs.source[pair]);
    const auto t = static_cast<std::size_t>(pairs.target[pair]);
    source_used[s] = target_used[t] = true;
    result.pairs_one_seen += source_seen[s] + target_seen[t] == 1 ? 1 : 0;
    result.pairs_both_seen += source_seen[s] + target_seen[t] == 2 ? 1 : 0;
  }
  std::set<std::string> genes;
  for (std::size_t s = 0; s < sources.size(); ++s)
    if (source_used[s]) genes.insert(gene_key(sources[s]));
  for (std::size_t t = 0; t < targets.size(); ++t)
    if (target_used[t]) genes.insert(gene_key(targets[t]));
  result.genes = static_cast<std::int64_t>(genes.size());
  for (const std::string& gene : genes) result.genes_seen += seen.admits(gene) ? 1 : 0;
  return result;
}

}  // namespace regulus::evaluate
