// Input: matrix.mtx, features.tsv and barcodes.tsv, each ended by a zero byte or the end of the input.
#include "regulus/data/matrix_market.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  static const fuzz::InputFile matrix("matrix.mtx"), features("features.tsv"), barcodes("barcodes.tsv");
  const std::uint8_t* const end = data + size;
  for (const auto* file : {&matrix, &features, &barcodes}) {
    const std::uint8_t* const zero = std::find(data, end, std::uint8_t{0});
    file->fill(data, static_cast<std::size_t>(zero - data));
    data = zero == end ? end : zero + 1;
  }
  fuzz::accepts_or_refuses(ErrorKind::Input, [&] {
    const auto expression = ::regulus::data::read_matrix_market(matrix.path());
    fuzz::require(expression.row_begin.size() == expression.cells.size() + 1, "rows without cells");
    fuzz::require(expression.column.size() == expression.value.size(), "values without columns");
    for (std::size_t cell = 0; cell < expression.cells.size(); ++cell) {
      const auto begin = expression.column.begin() + expression.row_begin[cell];
      const auto row_end = expression.column.begin() + expression.row_begin[cell + 1];
      fuzz::require(std::adjacent_find(begin, row_end, std::greater_equal<>()) == row_end,
                    "a row out of order");
    }
    for (const std::int32_t column : expression.column)
      fuzz::require(column >= 0 && column < expression.gene_count(), "a column out of range");
    for (const float value : expression.value)
      fuzz::require(std::isfinite(value) && value > 0.0F, "a value that is no expression");
  });
  return 0;
}
