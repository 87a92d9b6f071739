#include "regulus/pretrain/checkpoint.h"

#include <cmath>
#include <limits>

#include "regulus/core/error.h"
#include "regulus/pretrain/options.h"
#include "regulus/storage/tensor_values.h"

namespace regulus::pretrain {

namespace {

constexpr const char* kFormat = "regulus-pretrain-1";
constexpr std::size_t kRowWidth = 6;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::vector<double> flatten(const std::vector<LossRow>& curve) {
  std::vector<double> flat;
  for (const auto& row : curve)
    flat.insert(flat.end(),
                {static_cast<double>(row.step), static_cast<double>(row.tokens), row.learning_rate,
                 row.train_loss, row.validation_loss.value_or(kUnknown), row.baseline.value_or(kUnknown)});
  return flat;
}

std::optional<double> known(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::vector<LossRow> unflatten(const std::vector<double>& flat) {
  std::vector<LossRow> curve;
  for (std::size_t i = 0; i + kRowWidth <= flat.size(); i += kRowWidth)
    curve.push_back({static_cast<std::int64_t>(flat[i]), static_cast<std::int64_t>(flat[i + 1]), flat[i + 2],
                     flat[i + 3], known(flat[i + 4]), known(flat[i + 5])});
  return curve;
}

/// \throws ModelError if the file is not a checkpoint of this program; OptionError if it is one of another
/// job
void check_job(const std::filesystem::path& file, const nlohmann::json& job) {
  const auto metadata = storage::read_safetensors_metadata(file);
  const auto format = metadata.find("format");
  const auto saved = metadata.find("job");
  if (format == metadata.end() || format->second != kFormat || saved == metadata.end())
    throw ModelError("is not a checkpoint of regulus pretrain");
  require_same_job(nlohmann::json::parse(saved->second), job, file.string());
}

TrainingState read_state(const std::filesystem::path& file) {
  const auto tensors = storage::read_safetensors(file);
  TrainingState state;
  state.values = storage::tensor_values<float>(tensors, "values");
  state.first_moment = storage::tensor_values<float>(tensors, "first_moment");
  state.second_moment = storage::tensor_values<float>(tensors, "second_moment");
  state.curve = unflatten(storage::tensor_values<double>(tensors, "curve"));
  const auto step = storage::tensor_values<std::int64_t>(tensors, "step");
  const auto loss = storage::tensor_values<double>(tensors, "loss_since_row");
  if (step.size() != 1 || loss.size() != 1) throw ModelError("has no step or loss");
  state.step = step[0];
  state.loss_since_row = loss[0];
  return state;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& file, const TrainingState& state,
                      const nlohmann::json& job) {
  storage::write_safetensors(
      file,
      {{"values", storage::to_tensor(state.values)},
       {"first_moment", storage::to_tensor(state.first_moment)},
       {"second_moment", storage::to_tensor(state.second_moment)},
       {"curve", storage::to_tensor(flatten(state.curve))},
       {"step", storage::to_tensor(std::vector<std::int64_t>{state.step})},
       {"loss_since_row", storage::to_tensor(std::vector<double>{state.loss_since_row})}},
      {{"format", kFormat}, {"job", job.dump()}});
}

TrainingState read_checkpoint(const std::filesystem::path& file, const nlohmann::json& job) {
  try {
    check_job(file, job);
    return read_state(file);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Model || !error.where().empty()) throw;
    throw ModelError(error.message(), file.string(), "start anew with --overwrite");
  } catch (const nlohmann::json::exception&) {
    throw ModelError("its job is not JSON", file.string(), "start anew with --overwrite");
  }
}

void broadcast(const comm::Communicator& comm, TrainingState& state) {
  std::vector<double> curve = flatten(state.curve);
  comm.broadcast_value(state.step);
  comm.broadcast_value(state.loss_since_row);
  comm.broadcast(state.values);
  comm.broadcast(state.first_moment);
  comm.broadcast(state.second_moment);
  comm.broadcast(curve);
  state.curve = unflatten(curve);
}

}  // namespace regulus::pretrain
