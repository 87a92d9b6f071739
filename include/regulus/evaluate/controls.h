#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "regulus/data/network.h"
#include "regulus/translator/edge_lookup.h"
#include "regulus/translator/pairs.h"

namespace regulus::evaluate {

/// The control that knows no biology: how often this source and this target occur as positives in training.
/// score = log(1 + positives of the source) + log(1 + positives of the target), so 0 where both genes are
/// unseen.
class DegreeControl {
 public:
  /// \param training    networks of the training run; an edge counts when both genes were seen in training
  /// \param seen_genes  genes of the training pairs; names are compared by upper case
  DegreeControl(const std::vector<data::Network>& training, const std::vector<std::string>& seen_genes);

  /// [pairs], indices into sources and targets.
  std::vector<double> scores(const std::vector<std::string>& sources, const std::vector<std::string>& targets,
                             const translator::LabelledPairs& pairs) const;

 private:
  std::unordered_map<std::string, std::int64_t> out_, in_;
};

/// What the evaluated pairs share with training: numbers above zero make a result easier than it looks.
struct Overlap {
  std::int64_t genes = 0;           ///< distinct genes of the evaluated pairs
  std::int64_t genes_seen = 0;      ///< of these, in a training pair
  std::int64_t pairs = 0;           ///< evaluated pairs
  std::int64_t pairs_one_seen = 0;  ///< exactly one gene seen
  std::int64_t pairs_both_seen = 0;
};

Overlap overlap(const std::vector<std::string>& sources, const std::vector<std::string>& targets,
                const translator::LabelledPairs& pairs, const std::vector<std::string>& seen_genes);

}  // namespace regulus::evaluate
