#pragma once

#include <cstdint>
#include <string>

namespace regulus::evaluate {

/// Bounds of a 95 % interval; NaN where no interval was asked for or none exists.
struct Interval {
  double low, high;
};

struct Metric {
  double value;
  Interval interval;
};

/// One line of the result table: one method on one data set, network, protocol and setting.
struct MetricRow {
  std::string method;    ///< a probe, an ensemble, a control or another tool
  std::string dataset;   ///< name of the feature store or edge list
  std::string network;   ///< the truth
  std::string protocol;  ///< balanced, balanced-per-source or full
  std::string setting;   ///< unseen-genes, unseen-datasets or all-genes
  std::int64_t pairs = 0;
  std::int64_t positives = 0;
  Metric auprc, auprc_ratio, auroc, epr;
};

}  // namespace regulus::evaluate
