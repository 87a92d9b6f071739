#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace regulus::data {
struct Network;
}

namespace regulus::translator {

/// The edges of a network, asked by gene name (compared by gene_key).
class EdgeLookup {
 public:
  explicit EdgeLookup(const data::Network& network);
  bool has_source(const std::string& gene) const;
  bool has_gene(const std::string& gene) const;
  bool contains(const std::string& source, const std::string& target) const;

 private:
  std::unordered_map<std::string, std::unordered_set<std::string>> targets_;
  std::unordered_set<std::string> genes_;
};

}  // namespace regulus::translator
