#include "regulus/data/csv_expression.h"

#include <cmath>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  static const fuzz::InputFile file("expression.csv");
  file.fill(data, size);
  for (const auto orientation : {data::Orientation::Auto, data::Orientation::GenesByCells})
    fuzz::accepts_or_refuses(ErrorKind::Input, [&] {
      const auto expression = data::read_csv_expression(file.path(), orientation);
      fuzz::require(expression.row_begin.size() == expression.cells.size() + 1, "rows without cells");
      fuzz::require(expression.column.size() == expression.value.size(), "values without columns");
      for (const std::int32_t column : expression.column)
        fuzz::require(column >= 0 && column < expression.gene_count(), "a column out of range");
      for (const float value : expression.value)
        fuzz::require(std::isfinite(value) && value > 0.0F, "a value that is no expression");
    });
  return 0;
}
