#pragma once

#include <cstdint>
#include <string>

#include "regulus/data/expression.h"

namespace regulus::data {

/// How to normalise expression.
enum class Normalise {
  Auto,        ///< log1p-cp10k for counts, nothing for log-normalised values, an error otherwise
  None,        ///< keep the values as they are
  Log1pCp10k,  ///< ln(1 + 10,000 · value / total of the cell)
  Log1pMedian  ///< ln(1 + median total · value / total of the cell): for panels of few genes
};

/// Of the option values auto, none, log1p-cp10k, log1p-median. \throws OptionError on another
Normalise parse_normalise(const std::string& text);

/// What the values look like: all integers: counts; otherwise a maximum below kLogMaximum: log-normalised;
/// otherwise other (TPM, RPKM, corrected transcript numbers …).
ValueScale detect_scale(const Expression& expression);
inline constexpr float kLogMaximum = 25.0F;  ///< log2 of 33 million: no logarithm of a count gets there

/// Removes cells in which no gene is expressed. \return how many
std::int64_t drop_empty_cells(Expression& expression);

/// ln(1 + 10,000 · value / total of the cell), with the total over the genes that the matrix has; natural
/// logarithm. Cells without any expression stay 0.
void log1p_cp10k(Expression& expression);

/// The same with the median of the cells' totals in place of 10,000.
void log1p_median(Expression& expression);

/// Normalises in place and logs what was recognised and done.
/// \param where the file, for messages
/// \return what the values now are
/// \throws InputError with Auto on values that are neither counts nor log-normalised
ValueScale normalise(Expression& expression, Normalise method, const std::string& where);

}  // namespace regulus::data
