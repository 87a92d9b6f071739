#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "regulus/evaluate/metric_row.h"

namespace regulus::report {

/// The rows as an aligned table for a terminal, one block per data set, network, protocol and setting (in the
/// order in which they first appear); intervals in brackets.
std::string metric_table(const std::vector<evaluate::MetricRow>& rows);

/// metrics.csv: a header and one line per row, shortest decimals that read back exactly; an interval that
/// does not exist is empty. \see docs/formats/metrics.md
std::string metrics_csv(const std::vector<evaluate::MetricRow>& rows);

/// The array "metrics" of metrics.json: one object per row, an interval that does not exist is null.
nlohmann::json metrics_json(const std::vector<evaluate::MetricRow>& rows);

}  // namespace regulus::report
