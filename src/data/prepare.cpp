#include "regulus/data/prepare.h"

#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/csv_expression.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/matrix_market.h"
#include "regulus/data/tenx.h"
#include "regulus/data/text_table.h"

namespace regulus::data {

namespace {

void require_kind(const std::filesystem::path& file, const std::string& suffix, const std::string& option) {
  if (file.extension() != suffix)
    throw OptionError("'" + file.string() + "' is not a " + suffix + " file", option,
                      "prepare inputs of other kinds by themselves");
}

Expression read_any(const std::filesystem::path& file, const PrepareOptions& options) {
  if (!options.matrix.layer.empty()) require_kind(file, ".h5ad", "--layer");
  if (options.matrix.raw) require_kind(file, ".h5ad", "--raw");
  if (!options.genome.empty()) require_kind(file, ".h5", "--genome");
  if (is_matrix_market(file)) return read_matrix_market(file);
  if (file.extension() == ".h5ad") return read_h5ad(file, options.matrix);
  if (file.extension() == ".h5") return read_tenx(file, options.genome);
  return read_csv_expression(file, options.orientation);
}

void drop_cells(Expression& expression, const std::string& where) {
  const std::int64_t dropped = drop_empty_cells(expression);
  if (expression.cells.empty())
    throw InputError("every value is 0", where, "give counts or log-normalised values");
  if (dropped > 0) log::info("{}: {} cells without any expression dropped", where, dropped);
}

Expression prepare_one(const std::filesystem::path& file, const PrepareOptions& options, ValueScale& scale) {
  Expression expression = read_any(file, options);
  log::info("{}: {} cells x {} genes", file.string(), expression.cell_count(), expression.gene_count());
  drop_cells(expression, file.string());
  if (options.upper_case) upper_case_genes(expression, detect_scale(expression), file.string());
  scale = normalise(expression, options.normalise, file.string());
  return expression;
}

void require_same_scale(ValueScale first, ValueScale other, const PrepareOptions& options,
                        std::size_t input) {
  if (first == other) return;
  throw InputError("the values are " + to_string(other) + ", those of " + options.inputs[0].string() +
                       " are " + to_string(first),
                   options.inputs[input].string(), "use --normalise auto, or prepare the files one by one");
}

/// Only genes that some part lacks are worth a line.
void log_union(const std::vector<Expression>& parts, const Expression& whole, const PrepareOptions& options) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::int64_t absent = whole.gene_count() - parts[i].gene_count();
    if (absent > 0)
      log::warning("{}: {} of the {} genes of all inputs are not in it and count as 0",
                   options.inputs[i].string(), absent, whole.gene_count());
  }
}

std::vector<std::string> dataset_of_cells(const std::vector<Expression>& parts,
                                          const PrepareOptions& options) {
  std::vector<std::string> names;
  // A folder may be named with a slash at its end.
  for (const auto& input : options.inputs)
    names.push_back(base_name(input.has_filename() ? input : input.parent_path()));
  make_unique(names);
  std::vector<std::string> dataset;
  for (std::size_t i = 0; i < parts.size(); ++i)
    dataset.insert(dataset.end(), parts[i].cells.size(), names[i]);
  return dataset;
}

}  // namespace

Prepared prepare(const PrepareOptions& options) {
  if (options.inputs.empty()) throw OptionError("no input file was given", "--input");
  std::vector<Expression> parts(options.inputs.size());
  Prepared prepared;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ValueScale scale{};
    parts[i] = prepare_one(options.inputs[i], options, scale);
    if (i == 0) prepared.scale = scale;
    require_same_scale(prepared.scale, scale, options, i);
  }
  prepared.dataset = dataset_of_cells(parts, options);
  if (parts.size() == 1) {
    prepared.expression = std::move(parts.front());  // not copied: it may fill the memory
  } else {
    prepared.expression = concatenate(parts);
    log_union(parts, prepared.expression, options);
  }
  const std::int64_t renamed = make_unique(prepared.expression.cells);
  if (renamed > 0) log::warning("{} cells had a name that was taken and got a number appended", renamed);
  return prepared;
}

}  // namespace regulus::data
