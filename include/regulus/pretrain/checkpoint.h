#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/pretrain/loss_curve.h"

namespace regulus::pretrain {

/// All that a training run carries from one step to the next; the same on every rank.
struct TrainingState {
  std::int64_t step = 0;            ///< steps done
  std::vector<float> values;        ///< Parameters::values()
  std::vector<float> first_moment;  ///< of AdamW, as the next
  std::vector<float> second_moment;
  std::vector<LossRow> curve;
  double loss_since_row = 0.0;  ///< sum of the training losses since the last row of the curve
};

/// Writes state and job to a safetensors file, atomically: a kill leaves the old one or the new one.
/// \throws StorageError \collective no
void write_checkpoint(const std::filesystem::path& file, const TrainingState& state,
                      const nlohmann::json& job);

/// Reads what write_checkpoint() wrote.
/// \param job what the run wants to compute
/// \throws OptionError naming the option in which the checkpoint's job differs; ModelError if it is damaged
/// \collective no
TrainingState read_checkpoint(const std::filesystem::path& file, const nlohmann::json& job);

/// Root's state on every rank. \collective yes
void broadcast(const comm::Communicator& comm, TrainingState& state);

}  // namespace regulus::pretrain
