#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace regulus::probe {

/// `points` values evenly spaced over (0, value_max], the default grid of VVP and GDT.
std::vector<double> even_grid(double value_max, std::int64_t points);

/// A grid as the user writes it: "N" for N even points over (0, value_max], or the values themselves,
/// "0.5,1,2". \param option its name, for errors \throws OptionError if it is neither, empty, not finite, or
/// "N" while value_max is 0 (the model does not say its range)
std::vector<double> parse_grid(const std::string& text, double value_max, const std::string& option);

}  // namespace regulus::probe
