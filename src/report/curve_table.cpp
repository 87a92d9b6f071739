#include "regulus/report/curve_table.h"

#include <fmt/format.h>

#include "regulus/report/csv.h"

namespace regulus::report {

std::string curves_csv(const std::vector<evaluate::NamedCurve>& curves) {
  std::string text =
      "method,dataset,network,protocol,setting,threshold,recall,precision,false_positive_rate\n";
  for (const auto& curve : curves) {
    const std::string names =
        fmt::format("{},{},{},{},{}", csv_field(curve.method), csv_field(curve.subject.dataset),
                    csv_field(curve.subject.network), csv_field(curve.subject.protocol),
                    csv_field(curve.subject.setting));
    for (const auto& point : curve.points)
      text += fmt::format("{},{},{},{},{}\n", names, csv_number(point.threshold), csv_number(point.recall),
                          csv_number(point.precision), csv_number(point.false_positive_rate));
  }
  return text;
}

}  // namespace regulus::report
