#include "regulus/report/metric_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "regulus/report/csv.h"

namespace regulus::report {

namespace {

using evaluate::Metric;
using evaluate::MetricRow;

constexpr const char* kHeader =
    "method,dataset,network,protocol,setting,pairs,positives,"
    "auprc,auprc_low,auprc_high,auprc_ratio,auprc_ratio_low,auprc_ratio_high,"
    "auroc,auroc_low,auroc_high,epr,epr_low,epr_high\n";

std::string columns(const Metric& metric) {
  return "," + csv_number(metric.value) + "," + csv_number(metric.interval.low) + "," +
         csv_number(metric.interval.high);
}

nlohmann::json json_metric(const Metric& metric) {
  nlohmann::json json{{"value", metric.value}, {"interval", nullptr}};
  if (!std::isnan(metric.interval.low)) json["interval"] = {metric.interval.low, metric.interval.high};
  return json;
}

std::string cell(const Metric& metric, int digits) {
  if (std::isnan(metric.interval.low)) return fmt::format("{:.{}f}", metric.value, digits);
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", metric.value, digits, metric.interval.low, digits,
                     metric.interval.high, digits);
}

using Line = std::vector<std::string>;

Line line_of(const MetricRow& row) {
  return {row.method, cell(row.auprc, 3), cell(row.auprc_ratio, 2), cell(row.auroc, 3), cell(row.epr, 2)};
}

std::string aligned(const std::vector<Line>& lines) {
  std::vector<std::size_t> width(lines.front().size(), 0);
  for (const Line& line : lines)
    for (std::size_t c = 0; c < line.size(); ++c) width[c] = std::max(width[c], line[c].size());
  std::string text;
  for (const Line& line : lines) {
    std::string out;
    for (std::size_t c = 0; c < line.size(); ++c) out += fmt::format("  {:<{}}", line[c], width[c]);
    text += out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string heading(const MetricRow& row) {
  return fmt::format("{} × {} · {} · {} · {} pairs, {} positive", row.dataset, row.network, row.setting,
                     row.protocol, row.pairs, row.positives);
}

}  // namespace

std::string metric_table(const std::vector<MetricRow>& rows) {
  std::vector<std::pair<std::string, std::vector<Line>>> blocks;
  for (const MetricRow& row : rows) {
    const std::string title = heading(row);
    auto block = std::find_if(blocks.begin(), blocks.end(), [&](const auto& b) { return b.first == title; });
    if (block == blocks.end()) {
      blocks.push_back({title, {{"method", "AUPRC", "AUPRC/random", "AUROC", "EPR"}}});
      block = blocks.end() - 1;
    }
    block->second.push_back(line_of(row));
  }
  std::string text;
  for (const auto& [title, lines] : blocks)
    text += (text.empty() ? "" : "\n") + title + "\n" + aligned(lines);
  return text;
}

std::string metrics_csv(const std::vector<MetricRow>& rows) {
  std::string text = kHeader;
  for (const MetricRow& row : rows)
    text += fmt::format("{},{},{},{},{},{},{}", csv_field(row.method), csv_field(row.dataset),
                        csv_field(row.network), csv_field(row.protocol), csv_field(row.setting), row.pairs,
                        row.positives) +
            columns(row.auprc) + columns(row.auprc_ratio) + columns(row.auroc) + columns(row.epr) + "\n";
  return text;
}

nlohmann::json metrics_json(const std::vector<MetricRow>& rows) {
  nlohmann::json all = nlohmann::json::array();
  for (const MetricRow& row : rows)
    all.push_back({{"method", row.method},
                   {"dataset", row.dataset},
                   {"network", row.network},
                   {"protocol", row.protocol},
                   {"setting", row.setting},
                   {"pairs", row.pairs},
                   {"positives", row.positives},
                   {"auprc", json_metric(row.auprc)},
                   {"auprc_ratio", json_metric(row.auprc_ratio)},
                   {"auroc", json_metric(row.auroc)},
                   {"epr", json_metric(row.epr)}});
  return all;
}

}  // namespace regulus::report
