#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "regulus/translator/pairs.h"

namespace regulus::evaluate {

/// How a tool's edge weights rank: by size (BEELINE's reading, for signed weights such as correlations) or as
/// they are.
enum class EdgeWeights { Absolute, Signed };
EdgeWeights parse_edge_weights(const std::string& text);  ///< absolute | signed \throws OptionError

/// The edges of any GRN tool with their weights, in the order of the file.
struct RankedEdges {
  std::string name;  ///< of the file, without folder and suffix
  std::vector<std::string> source, target;
  std::vector<double> weight;

  /// Distinct names in the order of their first appearance.
  std::vector<std::string> sources() const;
  std::vector<std::string> genes() const;  ///< sources and targets
};

/// Reads tab- or comma-separated text (also gzipped; the header tells which) with the columns Gene1, Gene2,
/// EdgeWeight (BEELINE's rankedEdges.csv) or TF, target, importance (pySCENIC's adjacencies.tsv), in any
/// order and among others. \throws InputError, naming the line, on other headers, ragged rows, empty names,
/// weights that are no finite number; or
///         if there is no edge
RankedEdges read_ranked_edges(const std::filesystem::path& file);

/// Scores of candidate pairs. A pair that is not listed (or has weight 0, in Absolute) was not predicted:
/// minus infinity. Of a pair that is listed more than once the highest score counts. Names are compared by
/// upper case. \throws InputError if no listed edge is between the sources and the targets
std::vector<double> edge_scores(const RankedEdges& edges, const std::vector<std::string>& sources,
                                const std::vector<std::string>& targets,
                                const translator::LabelledPairs& pairs, EdgeWeights weights);

}  // namespace regulus::evaluate
