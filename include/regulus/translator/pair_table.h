#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/translator/pairs.h"

namespace regulus::storage {
class FeatureStore;
}

namespace regulus::translator {

/// The features of one probe for a list of pairs.
struct ProbeMatrix {
  std::string probe;
  std::int64_t width = 0;
  std::vector<float> values;  ///< [pairs, width]
};

/// Labelled pairs with the features of each probe; what a translator is trained on.
struct PairTable {
  std::vector<std::string> sources, targets;  ///< names, which `source` and `target` index
  std::vector<std::int32_t> source, target;   ///< per pair
  std::vector<std::uint8_t> label;            ///< per pair, 1: an edge
  std::vector<ProbeMatrix> features;

  std::int64_t size() const { return static_cast<std::int64_t>(label.size()); }
  std::int64_t positives() const;
  /// Genes that occur in a pair, in either role: sorted, distinct.
  std::vector<std::string> genes() const;
};

/// One probe's features of the pairs, read source by source so that only the pairs' rows stay in memory.
/// \param file names the store in errors
/// \throws InputError if the store lacks the probe or a feature of a pair is not finite
ProbeMatrix gather_features(const storage::FeatureStore& store, const std::string& file,
                            const std::string& probe, const LabelledPairs& pairs);

/// The pairs of one store with all of `probes`.
PairTable make_pair_table(const storage::FeatureStore& store, const std::string& file,
                          const std::vector<std::string>& probes, const LabelledPairs& pairs);

/// Adds the pairs of another data set or network; a pair may occur in both.
/// \throws OptionError if its probes are not those of `table`, in the same order and of the same width
void append(PairTable& table, const PairTable& other);

/// Root's table on every rank. \collective yes
void broadcast(const comm::Communicator& comm, PairTable& table);

}  // namespace regulus::translator
