#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/expression.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/normalise.h"

namespace regulus::data {

namespace {

/// Values of unknown origin are taken only if they are recognisably log-normalised.
void require_usable(const Expression& expression, std::optional<ValueScale> recorded,
                    const std::filesystem::path& file) {
  if (recorded == ValueScale::LogNormalised) return;
  if (recorded) {
    log::warning("{}: the values are {}, as they were prepared; the models expect log-normalised ones",
                 file.string(), to_string(*recorded));
    return;
  }
  const ValueScale scale = detect_scale(expression);
  if (scale == ValueScale::LogNormalised) return;
  const std::string what = scale == ValueScale::Counts ? "are raw counts" : "do not look log-normalised";
  throw InputError("the values " + what, file.string(),
                   "run regulus prepare --input " + file.string() + " --out PREPARED.h5ad first");
}

}  // namespace

Expression read_expression(const std::filesystem::path& file) {
  if (file.extension() != ".h5ad")
    throw InputError("is not an .h5ad file", file.string(),
                     "run regulus prepare --input " + file.string() + " --out PREPARED.h5ad first");
  Expression expression = read_h5ad(file);
  require_usable(expression, read_h5ad_scale(file), file);
  return expression;
}

Expression read_expression(const comm::Communicator& comm, const std::filesystem::path& file) {
  Expression expression;
  comm::agree_on_root(comm, "reading expression", [&] { expression = read_expression(file); });
  comm.broadcast(expression.genes);
  comm.broadcast(expression.cells);
  comm.broadcast(expression.row_begin);
  comm.broadcast(expression.column);
  comm.broadcast(expression.value);
  return expression;
}

}  // namespace regulus::data
