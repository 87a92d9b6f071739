#pragma once

#include <string>
#include <vector>

#include "regulus/evaluate/evaluation.h"

namespace regulus::report {

/// curves.csv: one line per point of every precision-recall curve; the same points give the ROC curve (recall
/// against false_positive_rate). \see docs/formats/metrics.md
std::string curves_csv(const std::vector<evaluate::NamedCurve>& curves);

}  // namespace regulus::report
