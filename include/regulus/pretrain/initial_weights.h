#pragma once

#include <cstdint>

#include "regulus/backbone/weights.h"
#include "regulus/comm/communicator.h"
#include "regulus/pretrain/corpus.h"

namespace regulus::pretrain {

/// Where training starts.
enum class Start {
  Random,       ///< backbone::random_weights()
  Coexpression  ///< the same, with co-expressed genes near each other and attention between them
};

/// `random` or `coexpression`. \throws OptionError on another
Start parse_start(const std::string& text);
const char* to_string(Start start);

/// Weights to start from. A small model that starts at random spends most of a short training on finding out
/// which genes go together; Coexpression gives it that much: gene embeddings are the leading eigenvectors of
/// the gene-gene correlation averaged over the data sets (at most 1,000 training cells of each), randomly
/// rotated, every row standardised and scaled; query and key weights are amplified and start equal, so that
/// genes attend to their co-expressed genes. \return the same float32 weights on every rank \collective yes;
/// rank 0 computes
backbone::StateDict initial_weights(const comm::Communicator& comm, const Corpus& corpus,
                                    const backbone::TransformerConfig& config, Start start,
                                    std::uint64_t seed);

}  // namespace regulus::pretrain
