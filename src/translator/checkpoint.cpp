#include "regulus/translator/checkpoint.h"

#include <fmt/format.h>

#include "regulus/core/error.h"
#include "regulus/storage/tensor_values.h"

namespace regulus::translator {

namespace {

using Tensors = std::map<std::string, storage::TensorView>;

constexpr const char* kFormat = "regulus-train-1";
constexpr const char* kRemedy = "start anew with --overwrite";

/// Calls field(name, value) for every part of an MLP; `Mlp` is TrainedMlp, const or not.
template <typename Mlp, typename Field>
void each_field(Mlp& mlp, const std::string& prefix, Field&& field) {
  field(prefix + "parameters", mlp.parameters);
  field(prefix + "loss_train", mlp.curve.train);
  field(prefix + "loss_validation", mlp.curve.validation);
  field(prefix + "best_epoch", mlp.curve.best_epoch);
}

/// The same for MlpState.
template <typename State, typename Field>
void each_state_field(State& state, Field&& field) {
  const std::string prefix = "running.";
  each_field(state.mlp, prefix, field);
  field(prefix + "best", state.best);
  field(prefix + "steps", state.optimiser.steps);
  field(prefix + "first_moment", state.optimiser.first_moment);
  field(prefix + "second_moment", state.optimiser.second_moment);
  field(prefix + "batches", state.batches);
  field(prefix + "epoch_loss", state.epoch_loss);
}

/// The same for a whole training, whose numbers of MLPs are known.
template <typename State, typename Field>
void each_field(State& state, Field&& field) {
  for (std::size_t i = 0; i < state.finished.size(); ++i)
    each_field(state.finished[i], fmt::format("finished.{}.", i), field);
  for (auto& running : state.running) each_state_field(running, field);
}

struct Writer {
  Tensors& tensors;

  template <typename T>
  void operator()(const std::string& name, const std::vector<T>& values) const {
    tensors[name] = storage::to_tensor(values);
  }
  template <typename T>
  void operator()(const std::string& name, const T& value) const {
    tensors[name] = storage::to_tensor(std::vector<T>{value});
  }
};

struct Reader {
  const Tensors& tensors;

  template <typename T>
  void operator()(const std::string& name, std::vector<T>& values) const {
    values = storage::tensor_values<T>(tensors, name);
  }
  template <typename T>
  void operator()(const std::string& name, T& value) const {
    const std::vector<T> values = storage::tensor_values<T>(tensors, name);
    if (values.size() != 1) throw ModelError("has several values of '" + name + "'");
    value = values[0];
  }
};

struct Broadcaster {
  const comm::Communicator& comm;

  template <typename T>
  void operator()(const std::string& /*name*/, std::vector<T>& values) const {
    comm.broadcast(values);
  }
  template <typename T>
  void operator()(const std::string& /*name*/, T& value) const {
    comm.broadcast_value(value);
  }
};

/// \throws ModelError if the file is not a checkpoint of this program; OptionError if it is one of another
/// job
void check_job(const std::filesystem::path& file, const nlohmann::json& job) {
  const auto metadata = storage::read_safetensors_metadata(file);
  const auto format = metadata.find("format");
  const auto saved = metadata.find("job");
  if (format == metadata.end() || format->second != kFormat || saved == metadata.end())
    throw ModelError("is not a checkpoint of regulus train");
  require_same_job(nlohmann::json::parse(saved->second), job, file.string());
}

TrainingState read_state(const std::filesystem::path& file) {
  const Tensors tensors = storage::read_safetensors(file);
  TrainingState state;
  while (tensors.contains(fmt::format("finished.{}.parameters", state.finished.size())))
    state.finished.emplace_back();
  if (tensors.contains("running.parameters")) state.running.emplace_back();
  each_field(state, Reader{tensors});
  return state;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& file, const TrainingState& state,
                      const nlohmann::json& job) {
  Tensors tensors;
  each_field(state, Writer{tensors});
  storage::write_safetensors(file, tensors, {{"format", kFormat}, {"job", job.dump()}});
}

TrainingState read_checkpoint(const std::filesystem::path& file, const nlohmann::json& job) {
  try {
    check_job(file, job);
    return read_state(file);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Model || !error.where().empty()) throw;
    throw ModelError(error.message(), file.string(), kRemedy);
  } catch (const nlohmann::json::exception&) {
    throw ModelError("its job is not JSON", file.string(), kRemedy);
  }
}

void require_same_job(const nlohmann::json& saved, const nlohmann::json& wanted, const std::string& where) {
  for (const auto& [name, value] : wanted.items()) {
    const nlohmann::json before = saved.contains(name) ? saved.at(name) : nlohmann::json();
    if (before == value) continue;
    if (name == "features" || name == "network")
      throw OptionError(fmt::format("the files differ from those that {} was trained on", where), "--" + name,
                        "resume with the same files in the same order, or start anew with --overwrite");
    throw OptionError(fmt::format("{} differs from {} in {}", value.dump(), before.dump(), where),
                      "--" + name, "resume with the same options, or start anew with --overwrite");
  }
}

void broadcast(const comm::Communicator& comm, TrainingState& state) {
  std::vector<std::uint64_t> sizes{state.finished.size(), state.running.size()};
  comm.broadcast(sizes);
  state.finished.resize(sizes[0]);
  state.running.resize(sizes[1]);
  each_field(state, Broadcaster{comm});
}

}  // namespace regulus::translator
