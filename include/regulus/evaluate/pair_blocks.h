#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/translator/pairs.h"

namespace regulus::evaluate {

/// Sources of one block of pairs: enough work for a matrix product, few enough that the features of a block
/// are small.
inline constexpr std::int64_t kSourcesPerBlock = 16;

/// The pairs [begin, end) as pairs of their own.
translator::LabelledPairs slice(const translator::LabelledPairs& pairs, std::int64_t begin, std::int64_t end);

/// Positions at which to cut pairs (sorted by source) into blocks of at most `sources_per_block` sources that
/// have pairs; first 0, last the number of pairs.
std::vector<std::int64_t> block_cuts(const translator::LabelledPairs& pairs, std::int64_t sources_per_block);

/// Scores of all pairs by several methods, computed in blocks by all ranks. The blocks do not depend on the
/// number of ranks, so neither do the scores. \param methods     number of scores per pair \param score_block
/// local work on the pairs of a block: [methods][pairs of the block]; may throw, must not communicate \return
/// [methods][pairs], the same on every rank \collective yes
std::vector<std::vector<double>> score_pairs(
    const comm::Communicator& comm, const translator::LabelledPairs& pairs, std::size_t methods,
    const std::function<std::vector<std::vector<double>>(const translator::LabelledPairs&)>& score_block);

}  // namespace regulus::evaluate
