#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "regulus/evaluate/bootstrap.h"
#include "regulus/evaluate/ranked_edges.h"
#include "regulus/translator/pairs.h"

namespace regulus::app {

/// One way to choose and sample candidate pairs.
struct EvaluateProtocol {
  translator::Protocol protocol = translator::Protocol::Balanced;
  translator::Negatives negatives = translator::Negatives::Uniform;
  std::string name() const;  ///< balanced, balanced-per-source or full
};

/// The options of `evaluate`, checked.
struct EvaluateJob {
  std::vector<std::filesystem::path> features, networks, training_networks, expression, edges;
  std::filesystem::path translator, sources, genes, out;  ///< all but `out` may be empty
  std::vector<EvaluateProtocol> protocols;
  std::string setting;
  bool exclude_seen = true;
  bool untested_sources = true;
  std::vector<std::string> origin;  ///< features whose own value is a score, without a translator
  bool write_edges = false;         ///< also the translator's edges of every data set
  bool by_position = false;         ///< the n-th network belongs to the n-th data set
  evaluate::EdgeWeights edge_weights = evaluate::EdgeWeights::Absolute;
  evaluate::BootstrapOptions bootstrap;
  std::uint64_t seed = 0;

  std::vector<std::filesystem::path> inputs() const;  ///< every file that is read
};

void declare_evaluate_options(po::options_description& description);

/// \throws OptionError on values or combinations that make no sense
EvaluateJob evaluate_job(const Session& session);

}  // namespace regulus::app
