#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace regulus::data {
struct Network;
}

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
  GeneFilter genes;        ///< both genes of a pair must pass
  bool untested_sources =
      false;  ///< keep sources without any edge in the network (their pairs are unknown, not negative)
};

/// Pairs as indices into a list of sources and a list of targets, in candidate order (by source, then
/// target).
struct LabelledPairs {
  std::vector<std::int32_t> source, target;
  std::vector<std::uint8_t> label;  ///< 1: an edge of the network

  std::int64_t size() const { return static_cast<std::int64_t>(label.size()); }
  std::int64_t positives() const;
};

/// The edges of a network, asked by gene name (compared by gene_key).
class EdgeLookup {
 public:
  explicit EdgeLookup(const data::Network& network);
  bool has_source(const std::string& gene) const { return targets_.contains(gene_key(gene)); }
  bool has_gene(const std::string& gene) const { return genes_.contains(gene_key(gene)); }
  bool contains(const std::string& source, const std::string& target) const;

 private:
  std::unordered_map<std::string, std::unordered_set<std::string>> targets_;
  std::unordered_set<std::string> genes_;
};

/// The labelled pairs of a protocol: source x target without self pairs, over the genes that pass the filter.
/// Balanced takes fewer negatives than positives where there are not enough (Uniform: overall; PerSource: for
/// a source); it may be empty when the network has no edge among the genes. \throws InputError (naming the
/// network) if no source of the features has an edge in the network or no gene is common \collective no; the
/// same on every rank     \see DESIGN.md, the UGRN protocol
LabelledPairs candidate_pairs(const std::vector<std::string>& sources,
                              const std::vector<std::string>& targets, const data::Network& network,
                              const CandidateOptions& options);

}  // namespace regulus::translator
