#include "regulus/translator/edge_lookup.h"

#include "regulus/data/network.h"
#include "regulus/translator/gene_filter.h"

namespace regulus::translator {

EdgeLookup::EdgeLookup(const data::Network& network) {
  for (const data::Edge& edge : network.edges) {
    const std::string source = gene_key(edge.source);
    const std::string target = gene_key(edge.target);
    targets_[source].insert(target);
    genes_.insert(source);
    genes_.insert(target);
  }
}

bool EdgeLookup::has_source(const std::string& gene) const {
  return targets_.contains(gene_key(gene));
}

bool EdgeLookup::has_gene(const std::string& gene) const {
  return genes_.contains(gene_key(gene));
}

bool EdgeLookup::contains(const std::string& source, const std::string& target) const {
  const auto found = targets_.find(gene_key(source));
  return found != targets_.end() && found->second.contains(gene_key(target));
}

}  // namespace regulus::translator
