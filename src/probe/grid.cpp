#include "regulus/probe/grid.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "regulus/core/error.h"

namespace regulus::probe {

namespace {

constexpr std::int64_t kMostPoints = 1024;

std::vector<double> parse_values(const std::string& text, const std::string& option) {
  std::vector<double> values;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    std::size_t used = 0;
    double value = NAN;
    try {
      value = std::stod(item, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (used != item.size() || item.empty() || !std::isfinite(value))
      throw OptionError("'" + item + "' is not a number", option,
                        "give a number of points or values such as 0.5,1,2");
    values.push_back(value);
  }
  return values;
}

bool is_count(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::vector<double> even_grid(double value_max, std::int64_t points) {
  std::vector<double> grid;
  for (std::int64_t m = 1; m <= points; ++m)
    grid.push_back(value_max * static_cast<double>(m) / static_cast<double>(points));
  return grid;
}

std::vector<double> parse_grid(const std::string& text, double value_max, const std::string& option) {
  if (!is_count(text)) {
    std::vector<double> values = parse_values(text, option);
    if (values.empty()) throw OptionError("the grid is empty", option);
    return values;
  }
  const std::int64_t points = text.size() > 6 ? kMostPoints + 1 : std::stoll(text);
  if (points < 1 || points > kMostPoints)
    throw OptionError("the number of grid points must be 1 to 1024", option);
  if (value_max <= 0.0)
    throw OptionError("the model does not record the range of its input", option,
                      "give the grid's values, such as 0.5,1,2");
  return even_grid(value_max, points);
}

}  // namespace regulus::probe
