#include "regulus/translator/null_labels.h"

#include "regulus/core/random.h"

namespace regulus::translator {

namespace {

void shuffle_part(const std::vector<std::uint8_t>& labels, const std::vector<std::int64_t>& pairs,
                  RandomStream& stream, std::vector<std::uint8_t>& shuffled) {
  const std::vector<std::int64_t> order = stream.permutation(static_cast<std::int64_t>(pairs.size()));
  for (std::size_t i = 0; i < pairs.size(); ++i)
    shuffled[static_cast<std::size_t>(pairs[i])] =
        labels[static_cast<std::size_t>(pairs[static_cast<std::size_t>(order[i])])];
}

}  // namespace

std::vector<std::uint8_t> null_labels(const std::vector<std::uint8_t>& labels, const TrainingSplit& split,
                                      std::uint64_t seed, std::int64_t index) {
  RandomStream stream(seed, "translator.null", static_cast<std::uint64_t>(index));
  std::vector<std::uint8_t> shuffled(labels.size(), 0);
  shuffle_part(labels, split.train, stream, shuffled);
  shuffle_part(labels, split.validation, stream, shuffled);
  return shuffled;
}

}  // namespace regulus::translator
