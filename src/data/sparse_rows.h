// Compressed rows while they are built; private to the module.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/data/expression.h"

namespace regulus::data::detail {

/// Compressed rows as Expression has them: zeros left out, columns increasing within a row.
struct SparseRows {
  std::vector<std::int64_t> begin = {0};  ///< [rows + 1]
  std::vector<std::int32_t> column;
  std::vector<float> value;
};

/// Rows of known lengths, to be filled entry by entry in any order.
/// \param lengths of the rows
/// \param where   for the InputError if memory does not hold them
SparseRows rows_of_lengths(const std::vector<std::int64_t>& lengths, const std::string& where);

/// Puts the entries of every row in order, sums repeated ones and drops zeros, in place.
/// \param on_repeat gets the row and column of each repeated entry, before it is summed
void settle_rows(SparseRows& rows, const std::function<void(std::int64_t, std::int32_t)>& on_repeat);

/// The rows as expression of these cells and genes.
Expression to_expression(SparseRows rows, std::vector<std::string> cells, std::vector<std::string> genes);

/// Makes room, or says that there is none. \throws InputError
template <typename T>
void reserve(std::vector<T>& values, std::int64_t count, const std::string& where) {
  try {
    values.reserve(static_cast<std::size_t>(count));
  } catch (const std::exception&) {
    throw InputError("holds " + std::to_string(count) + " values, more than memory", where,
                     "the file is damaged, or this machine is too small for it");
  }
}

}  // namespace regulus::data::detail
