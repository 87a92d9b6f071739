#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "regulus/data/expression.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/normalise.h"
#include "regulus/data/orientation.h"

namespace regulus::data {

struct PrepareOptions {
  std::vector<std::filesystem::path> inputs;
  Orientation orientation = Orientation::Auto;  ///< of .csv, .tsv and .txt inputs
  Normalise normalise = Normalise::Auto;        ///< of every input on its own
  H5adMatrix matrix{};                          ///< of .h5ad inputs
  std::string genome{};                         ///< of .h5 inputs of 10x Genomics with several
  bool upper_case = false;                      ///< gene symbols in upper case, as BEELINE has mouse symbols
};

/// Expression that is ready for a model.
struct Prepared {
  Expression expression;
  ValueScale scale = ValueScale::LogNormalised;
  std::vector<std::string> dataset;  ///< of every cell: the name of its input without folder and suffix
};

/// Reads every input (.h5ad; .h5 of 10x Genomics; a MatrixMarket folder or .mtx file; .csv, .tsv, .txt; each
/// text also gzipped), drops cells without expression,
/// normalises, and joins the inputs. Logs what was recognised, dropped and renamed. \throws InputError if an
/// input is damaged or of unknown kind or scale, or the scales differ; OptionError if `matrix` or `genome`
/// is given for an input that has no such thing
Prepared prepare(const PrepareOptions& options);

/// Gene symbols in upper case. Symbols that become equal are summed if the values are counts.
/// \throws InputError if symbols become equal and the values are not counts: logarithms cannot be added
/// \param where the file, for messages
void upper_case_genes(Expression& expression, ValueScale scale, const std::string& where);

/// Cells of all parts, one after the other, over the union of their genes in the order of first appearance; a
/// gene that a part does not have is 0 there.
Expression concatenate(const std::vector<Expression>& parts);

/// Appends -1, -2 … to repeated names, as anndata's obs_names_make_unique does. \return how many were changed
std::int64_t make_unique(std::vector<std::string>& names);

}  // namespace regulus::data
