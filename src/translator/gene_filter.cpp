#include <algorithm>

#include "regulus/core/error.h"
#include "regulus/translator/pairs.h"

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

Protocol parse_protocol(const std::string& text) {
  if (text == "balanced") return Protocol::Balanced;
  if (text == "full") return Protocol::Full;
  throw OptionError("unknown protocol '" + text + "'", "--protocol", "use balanced or full");
}

Negatives parse_negatives(const std::string& text) {
  if (text == "uniform") return Negatives::Uniform;
  if (text == "per-source") return Negatives::PerSource;
  throw OptionError("unknown way to draw negatives '" + text + "'", "--negatives",
                    "use uniform or per-source");
}

std::string to_string(Protocol protocol) {
  return protocol == Protocol::Balanced ? "balanced" : "full";
}

std::string to_string(Negatives negatives) {
  return negatives == Negatives::Uniform ? "uniform" : "per-source";
}

}  // namespace regulus::translator
