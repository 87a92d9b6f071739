#pragma once

#include <string>

namespace regulus::report {

/// A text as a CSV field: quoted only where it holds the separator, a quote or a line end (RFC 4180).
std::string csv_field(const std::string& text, char separator = ',');

/// The shortest decimal that reads back as the same double; empty for NaN.
std::string csv_number(double value);

}  // namespace regulus::report
