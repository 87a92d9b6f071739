#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace regulus::pretrain {

/// One line of the loss curve.
struct LossRow {
  std::int64_t step = 0;    ///< steps done
  std::int64_t tokens = 0;  ///< positions seen by then
  double learning_rate = 0.0;
  double train_loss =
      0.0;  ///< mean squared error at masked positions, mean over the steps since the last row
  std::optional<double> validation_loss;  ///< on the held-out cells, if there are any
  std::optional<double> baseline;         ///< of predicting every gene's mean at the same positions
};

/// Share of the baseline's squared error that the model explains, if both are known and the baseline is above
/// 0.
std::optional<double> explained(const LossRow& row);

/// loss.csv: step,tokens,learning_rate,train_loss,validation_loss,baseline,explained; unknown numbers are
/// empty.
std::string to_csv(const std::vector<LossRow>& curve);

}  // namespace regulus::pretrain
