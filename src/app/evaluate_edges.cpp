#include "evaluate_edges.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/report/csv.h"
#include "regulus/storage/text_file.h"
#include "regulus/translator/gene_filter.h"

namespace regulus::app {

namespace {

translator::LabelledPairs every_pair(const EvaluateData& data) {
  translator::LabelledPairs pairs;
  for (std::size_t s = 0; s < data.sources.size(); ++s)
    for (std::size_t t = 0; t < data.targets.size(); ++t) {
      if (translator::gene_key(data.sources[s]) == translator::gene_key(data.targets[t])) continue;
      pairs.source.push_back(static_cast<std::int32_t>(s));
      pairs.target.push_back(static_cast<std::int32_t>(t));
    }
  pairs.label.assign(pairs.source.size(), 0);
  return pairs;
}

std::string ranked_edges(const EvaluateData& data, const translator::LabelledPairs& pairs,
                         const std::vector<double>& logits) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  std::string text = "Gene1,Gene2,EdgeWeight\n";
  for (const std::size_t k : order)
    text +=
        fmt::format("{},{},{}\n", report::csv_field(data.sources[static_cast<std::size_t>(pairs.source[k])]),
                    report::csv_field(data.targets[static_cast<std::size_t>(pairs.target[k])]),
                    report::csv_number(1.0 / (1.0 + std::exp(-logits[k]))));
  return text;
}

}  // namespace

void write_edges(const comm::Communicator& world, const EvaluateJob& job, const EvaluateInputs& inputs,
                 const EvaluateData& data) {
  const translator::LabelledPairs pairs = every_pair(data);
  const std::vector<double> logits = ensemble_logits(world, *inputs.translator, data, pairs);
  const auto file = job.out / ("edges_" + data.name + ".csv");
  comm::agree_on_root(world, "writing the edges",
                      [&] { storage::write_text_atomically(file, ranked_edges(data, pairs, logits)); });
  log::info("{} edges are in {}", pairs.size(), file.string());
}

}  // namespace regulus::app
