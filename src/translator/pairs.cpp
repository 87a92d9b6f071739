#include "regulus/translator/pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "regulus/core/error.h"
#include "regulus/core/random.h"
#include "regulus/data/network.h"
#include "regulus/translator/edge_lookup.h"

namespace regulus::translator {

namespace {

/// Names reduced to keys once, with the filter's verdict.
struct Genes {
  std::vector<std::string> keys;
  std::vector<bool> admitted;

  Genes(const std::vector<std::string>& names, const GeneFilter& filter) {
    for (const std::string& name : names) {
      keys.push_back(gene_key(name));
      admitted.push_back(filter.admits(name));
    }
  }
};

void require_common_edge(const Genes& sources, const Genes& targets, const EdgeLookup& edges,
                         const data::Network& network) {
  for (const std::string& source : sources.keys)
    if (edges.has_source(source))
      for (const std::string& target : targets.keys)
        if (edges.contains(source, target)) return;
  throw InputError(
      fmt::format("the network has no edge between the features' {} sources and {} targets",
                  sources.keys.size(), targets.keys.size()),
      network.name,
      "check that both use gene symbols (case does not matter) and that the network's first column "
      "holds the transcription factors");
}

/// Every candidate of one source, appended in target order.
void append_candidates(std::size_t source, const Genes& sources, const Genes& targets,
                       const EdgeLookup& edges, LabelledPairs& pairs) {
  for (std::size_t target = 0; target < targets.keys.size(); ++target) {
    if (!targets.admitted[target] || targets.keys[target] == sources.keys[source]) continue;
    pairs.source.push_back(static_cast<std::int32_t>(source));
    pairs.target.push_back(static_cast<std::int32_t>(target));
    pairs.label.push_back(edges.contains(sources.keys[source], targets.keys[target]) ? 1 : 0);
  }
}

/// Keeps the positives of [begin, end) and as many negatives, drawn without replacement by selection sampling
/// (Knuth's algorithm S), in the order they came in.
void balance(const LabelledPairs& all, std::size_t begin, std::size_t end, RandomStream stream,
             LabelledPairs& kept) {
  const auto positives = static_cast<std::uint64_t>(
      std::count(all.label.begin() + static_cast<std::ptrdiff_t>(begin),
                 all.label.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{1}));
  std::uint64_t left = end - begin - positives;
  std::uint64_t wanted = std::min(positives, left);
  for (std::size_t pair = begin; pair < end; ++pair) {
    bool keep = all.label[pair] == 1;
    if (!keep) {
      keep = stream.below(left--) < wanted;
      if (keep) --wanted;
    }
    if (!keep) continue;
    kept.source.push_back(all.source[pair]);
    kept.target.push_back(all.target[pair]);
    kept.label.push_back(all.label[pair]);
  }
}

LabelledPairs balanced(const LabelledPairs& all, const CandidateOptions& options) {
  LabelledPairs kept;
  const auto size = static_cast<std::size_t>(all.size());
  if (options.negatives == Negatives::Uniform) {
    balance(all, 0, size, RandomStream(options.seed, "translator.negatives"), kept);
    return kept;
  }
  for (std::size_t begin = 0; begin < size;) {
    std::size_t end = begin;
    while (end < size && all.source[end] == all.source[begin]) ++end;
    balance(all, begin, end,
            RandomStream(options.seed, "translator.negatives.per-source",
                         static_cast<std::uint64_t>(all.source[begin])),
            kept);
    begin = end;
  }
  return kept;
}

}  // namespace

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

std::int64_t LabelledPairs::positives() const {
  return std::count(label.begin(), label.end(), std::uint8_t{1});
}

LabelledPairs candidate_pairs(const std::vector<std::string>& source_names,
                              const std::vector<std::string>& target_names, const data::Network& network,
                              const CandidateOptions& options) {
  const Genes sources(source_names, options.genes);
  const Genes targets(target_names, options.genes);
  const EdgeLookup edges(network);
  require_common_edge(sources, targets, edges, network);
  LabelledPairs all;
  for (std::size_t source = 0; source < sources.keys.size(); ++source) {
    if (!sources.admitted[source]) continue;
    if (options.untested_sources || edges.has_source(sources.keys[source]))
      append_candidates(source, sources, targets, edges, all);
  }
  return options.protocol == Protocol::Full ? all : balanced(all, options);
}

}  // namespace regulus::translator
