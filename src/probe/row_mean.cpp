#include "regulus/probe/row_mean.h"

#include <algorithm>
#include <cmath>

namespace regulus::probe {

namespace {

int fraction_bits(std::int64_t rows) {
  constexpr int kMost = 46;
  constexpr int kValueBits = 10;
  int bits_of_rows = 0;
  while ((std::int64_t{1} << bits_of_rows) < rows) ++bits_of_rows;
  return std::min(kMost, 62 - kValueBits - bits_of_rows);
}

}  // namespace

comm::ExactSum exact_sum(std::size_t size, std::int64_t rows) {
  rows = std::max<std::int64_t>(rows, 1);
  return comm::ExactSum(size, fraction_bits(rows), rows);
}

RowMean::RowMean(std::size_t size, std::int64_t rows, bool with_spread)
    : sum_(exact_sum(size, rows)), rows_(std::max<std::int64_t>(rows, 1)) {
  if (with_spread) squares_.emplace(exact_sum(size, rows));
}

void RowMean::add(const std::vector<double>& values, std::size_t offset) {
  sum_.add(values, offset);
  if (!squares_) return;
  std::vector<double> squares(values.size());
  std::transform(values.begin(), values.end(), squares.begin(), [](double value) { return value * value; });
  squares_->add(squares, offset);
}

void RowMean::send(comm::PendingSends& sends, int to) const {
  sum_.send(sends, to);
  if (squares_) squares_->send(sends, to);
}

void RowMean::receive(const comm::Communicator& comm, int from) {
  sum_.receive(comm, from);
  if (squares_) squares_->receive(comm, from);
}

RowMean::Result RowMean::result() const {
  const std::vector<double> sum = sum_.totals();
  const std::vector<double> squares = squares_ ? squares_->totals() : std::vector<double>();
  const auto n = static_cast<double>(rows_);
  Result result;
  for (const double value : sum) result.mean.push_back(static_cast<float>(value / n));
  for (std::size_t k = 0; k < squares.size(); ++k) {
    const double mean = sum[k] / n;
    result.deviation.push_back(static_cast<float>(std::sqrt(std::max(0.0, squares[k] / n - mean * mean))));
  }
  return result;
}

}  // namespace regulus::probe
