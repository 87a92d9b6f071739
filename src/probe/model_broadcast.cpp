#include "regulus/probe/model_broadcast.h"

#include <ATen/ATen.h>

#include <vector>

#include "regulus/comm/agree.h"

namespace regulus::probe {

namespace {

std::vector<std::string> tokens_of(const data::Vocabulary& vocabulary) {
  std::vector<std::string> tokens;
  for (std::int64_t id = 0; id < vocabulary.size(); ++id) tokens.push_back(vocabulary.token(id));
  return tokens;
}

void broadcast_weights(const comm::Communicator& comm, backbone::Model& model) {
  for (const auto& spec : backbone::weight_specs(model.config)) {
    std::vector<float> values;
    if (comm.is_root()) {
      const at::Tensor& weight = model.weights.at(spec.name);
      values.assign(weight.data_ptr<float>(), weight.data_ptr<float>() + weight.numel());
    }
    comm.broadcast(values);
    model.weights[spec.name] = at::tensor(values, at::kFloat).reshape(spec.shape);
  }
}

}  // namespace

backbone::Model load_model(const comm::Communicator& comm, const std::filesystem::path& folder) {
  backbone::Model model;
  comm::agree_on_root(comm, "loading the model", [&] { model = backbone::load_model(folder); });
  comm.broadcast_value(model.config);
  std::vector<std::string> tokens = tokens_of(model.vocabulary);
  comm.broadcast(tokens);
  model.vocabulary = data::Vocabulary(std::move(tokens));
  comm.broadcast(model.checkpoint_sha256);
  broadcast_weights(comm, model);
  return model;
}

}  // namespace regulus::probe
