#include "regulus/comm/agree.h"
#include "regulus/data/expression.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/normalise.h"
#include "usable_values.h"

namespace regulus::data {

Expression read_expression(const std::filesystem::path& file) {
  detail::require_h5ad_name(file);
  Expression expression = read_h5ad(file);
  detail::require_usable_values(file, [&] { return detect_scale(expression); });
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
