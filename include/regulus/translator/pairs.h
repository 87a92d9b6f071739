#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/translator/gene_filter.h"

namespace regulus::data {
struct Network;
}

namespace regulus::translator {

/// Balanced: every positive and as many sampled negatives. Full: every candidate.
enum class Protocol { Balanced, Full };
/// How Balanced draws negatives: from all candidates, or for each source as many as it has positives.
enum class Negatives { Uniform, PerSource };

Protocol parse_protocol(const std::string& text);    ///< balanced | full \throws OptionError
Negatives parse_negatives(const std::string& text);  ///< uniform | per-source \throws OptionError
std::string to_string(Protocol protocol);
std::string to_string(Negatives negatives);

struct CandidateOptions {
  Protocol protocol = Protocol::Balanced;
  Negatives negatives = Negatives::Uniform;
  std::uint64_t seed = 0;  ///< of the sampled negatives
  GeneFilter genes{};      ///< both genes of a pair must pass
  /// Keep sources that have no edge in the whole network: nobody tested them, so their pairs are unknown
  /// rather than negative.
  bool untested_sources = false;
};

/// Pairs as indices into a list of sources and a list of targets, by source, then target.
struct LabelledPairs {
  std::vector<std::int32_t> source, target;
  std::vector<std::uint8_t> label;  ///< 1: an edge of the network

  std::int64_t size() const { return static_cast<std::int64_t>(label.size()); }
  std::int64_t positives() const;
};

/// The labelled pairs of a protocol: source x target without self pairs, over the genes that pass the filter.
/// Balanced takes fewer negatives than positives where there are not enough (Uniform: in all; PerSource: of a
/// source), and has no pair at all when the filter leaves no positive. \throws InputError (naming the
/// network) if it has no edge between the sources and the targets, whatever the filter \collective no;
/// depends on its arguments alone    \see DESIGN.md §1, the UGRN protocol
LabelledPairs candidate_pairs(const std::vector<std::string>& sources,
                              const std::vector<std::string>& targets, const data::Network& network,
                              const CandidateOptions& options);

}  // namespace regulus::translator
