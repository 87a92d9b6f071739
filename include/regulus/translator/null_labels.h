#pragma once

#include <cstdint>
#include <vector>

#include "regulus/translator/validation.h"

namespace regulus::translator {

/// The labels of null translator `index`: shuffled within the training part and within the validation part,
/// so that both keep their numbers of positives while no label says anything of its pair. \param labels
/// [pairs] \return [pairs], decided by (seed, index) alone
std::vector<std::uint8_t> null_labels(const std::vector<std::uint8_t>& labels, const TrainingSplit& split,
                                      std::uint64_t seed, std::int64_t index);

}  // namespace regulus::translator
