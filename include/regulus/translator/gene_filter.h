#pragma once

#include <string>
#include <unordered_set>
#include <vector>

namespace regulus::translator {

/// The form in which gene names are compared between features, networks and gene sets: ASCII upper case, so
/// that mouse symbols meet human ones.
std::string gene_key(const std::string& name);

/// Which genes may take part, as source or as target. Names are compared by gene_key.
class GeneFilter {
 public:
  GeneFilter() = default;  ///< admits every gene
  static GeneFilter only(const std::vector<std::string>& genes);
  static GeneFilter all_but(const std::vector<std::string>& genes);
  bool admits(const std::string& gene) const { return keys_.contains(gene_key(gene)) == admit_listed_; }

 private:
  std::unordered_set<std::string> keys_;
  bool admit_listed_ = false;
};

}  // namespace regulus::translator
