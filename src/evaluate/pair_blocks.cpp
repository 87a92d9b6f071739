#include "regulus/evaluate/pair_blocks.h"

#include <algorithm>

#include "regulus/comm/agree.h"

namespace regulus::evaluate {

namespace {

template <typename T>
std::vector<T> part(const std::vector<T>& all, std::int64_t begin, std::int64_t end) {
  return {all.begin() + begin, all.begin() + end};
}

}  // namespace

translator::LabelledPairs slice(const translator::LabelledPairs& pairs, std::int64_t begin,
                                std::int64_t end) {
  return {part(pairs.source, begin, end), part(pairs.target, begin, end), part(pairs.label, begin, end)};
}

std::vector<std::int64_t> block_cuts(const translator::LabelledPairs& pairs, std::int64_t sources_per_block) {
  std::vector<std::int64_t> cuts{0};
  std::int64_t sources = 0;
  for (std::size_t pair = 0; pair < pairs.source.size(); ++pair) {
    if (pair > 0 && pairs.source[pair] == pairs.source[pair - 1]) continue;
    if (sources == sources_per_block) {
      cuts.push_back(static_cast<std::int64_t>(pair));
      sources = 0;
    }
    ++sources;
  }
  if (pairs.size() > 0) cuts.push_back(pairs.size());
  return cuts;
}

std::vector<std::vector<double>> score_pairs(
    const comm::Communicator& comm, const translator::LabelledPairs& pairs, std::size_t methods,
    const std::function<std::vector<std::vector<double>>(const translator::LabelledPairs&)>& score_block) {
  const auto cuts = block_cuts(pairs, kSourcesPerBlock);
  const auto ranks = static_cast<std::size_t>(comm.size());
  std::vector<double> mine;
  comm::agree(comm, "scoring pairs", [&] {
    for (auto block = static_cast<std::size_t>(comm.rank()); block + 1 < cuts.size(); block += ranks)
      for (const auto& scores : score_block(slice(pairs, cuts[block], cuts[block + 1])))
        mine.insert(mine.end(), scores.begin(), scores.end());
  });
  const std::vector<double> all = comm.all_gather(mine);
  std::vector<std::vector<double>> scores(methods, std::vector<double>(pairs.label.size()));
  auto next = all.begin();
  for (std::size_t rank = 0; rank < ranks; ++rank)
    for (std::size_t block = rank; block + 1 < cuts.size(); block += ranks)
      for (std::size_t method = 0; method < methods; ++method) {
        const auto end = next + (cuts[block + 1] - cuts[block]);
        std::copy(next, end, scores[method].begin() + cuts[block]);
        next = end;
      }
  return scores;
}

}  // namespace regulus::evaluate
