#include "regulus/pretrain/loss_curve.h"

#include <fmt/format.h>

namespace regulus::pretrain {

namespace {

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{:.8g}", *value) : std::string();
}

}  // namespace

std::optional<double> explained(const LossRow& row) {
  if (!row.validation_loss || !row.baseline || *row.baseline <= 0.0) return std::nullopt;
  return 1.0 - *row.validation_loss / *row.baseline;
}

std::string to_csv(const std::vector<LossRow>& curve) {
  std::string text = "step,tokens,learning_rate,train_loss,validation_loss,baseline,explained\n";
  for (const auto& row : curve)
    text += fmt::format("{},{},{:.8g},{:.8g},{},{},{}\n", row.step, row.tokens, row.learning_rate,
                        row.train_loss, cell(row.validation_loss), cell(row.baseline), cell(explained(row)));
  return text;
}

}  // namespace regulus::pretrain
