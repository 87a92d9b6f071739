#include "regulus/translator/gene_filter.h"

#include <algorithm>

namespace regulus::translator {

namespace {

std::unordered_set<std::string> keys_of(const std::vector<std::string>& genes) {
  std::unordered_set<std::string> keys;
  for (const std::string& gene : genes) keys.insert(gene_key(gene));
  return keys;
}

}  // namespace

std::string gene_key(const std::string& name) {
  std::string key = name;
  std::transform(key.begin(), key.end(), key.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return key;
}

GeneFilter GeneFilter::only(const std::vector<std::string>& genes) {
  GeneFilter filter;
  filter.keys_ = keys_of(genes);
  filter.admit_listed_ = true;
  return filter;
}

GeneFilter GeneFilter::all_but(const std::vector<std::string>& genes) {
  GeneFilter filter;
  filter.keys_ = keys_of(genes);
  return filter;
}

}  // namespace regulus::translator
