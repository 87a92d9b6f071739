#include "regulus/probe/model_broadcast.h"

#include <ATen/ATen.h>

#include <vector>

#include "regulus/backbone/torchscript.h"
#include "regulus/comm/agree.h"
#include "regulus/core/error.h"

namespace regulus::probe {

namespace {

constexpr const char* kScripted = "torchscript:";

std::vector<std::string> tokens_of(const data::Vocabulary& vocabulary) {
  std::vector<std::string> tokens;
  for (std::int64_t id = 0; id < vocabulary.size(); ++id) tokens.push_back(vocabulary.token(id));
  return tokens;
}

void broadcast_vocabulary(const comm::Communicator& comm, data::Vocabulary& vocabulary) {
  std::vector<std::string> tokens = tokens_of(vocabulary);
  comm.broadcast(tokens);
  vocabulary = data::Vocabulary(std::move(tokens));
}

backbone::ScriptedModel load_scripted(const comm::Communicator& comm, const std::string& folder) {
  backbone::ScriptedModel model;
  comm::agree_on_root(comm, "loading the model", [&] { model = backbone::read_scripted_model(folder); });
  comm.broadcast_value(model.input);
  broadcast_vocabulary(comm, model.vocabulary);
  comm.broadcast(model.module_bytes);
  comm.broadcast(model.checkpoint_sha256);
  comm.broadcast(model.where);
  return model;
}

void refuse_for_scripted(const backbone::TransformerOptions& options) {
  if (options.batch_label)
    throw OptionError("a scripted module takes no batch label", "--batch-label", "leave it out");
  if (!options.device.is_cpu())
    throw OptionError("a scripted module runs on the CPU", "--device cuda", "use --device cpu");
  if (options.precision == at::kBFloat16)
    throw OptionError("a scripted module runs in float32", "--precision bfloat16", "leave it out");
  if (options.read_out == backbone::ReadOut::Mvc)
    throw OptionError("a scripted module has one read-out", "--read-out mvc", "leave it out");
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

/// What the passes need of a model; where it came from is known to rank 0 alone.
backbone::Model load_native(const comm::Communicator& comm, const std::filesystem::path& path) {
  backbone::Model model;
  comm::agree_on_root(comm, "loading the model", [&] { model = backbone::load_model(path); });
  comm.broadcast_value(model.config);
  broadcast_vocabulary(comm, model.vocabulary);
  comm.broadcast(model.checkpoint_sha256);
  broadcast_weights(comm, model);
  return model;
}

}  // namespace

bool is_scripted(const std::string& model) {
  return model.rfind(kScripted, 0) == 0;
}

std::unique_ptr<backbone::Backbone> open_backbone(const comm::Communicator& comm, const std::string& model,
                                                  const backbone::TransformerOptions& options) {
  std::unique_ptr<backbone::Backbone> backbone;
  if (is_scripted(model)) {
    refuse_for_scripted(options);
    const auto scripted = load_scripted(comm, model.substr(std::string(kScripted).size()));
    comm::agree(comm, "opening the model",
                [&] { backbone = backbone::make_script_backbone(scripted, options.precision); });
  } else {
    const backbone::Model native = load_native(comm, model);
    comm::agree(comm, "opening the model", [&] { backbone = backbone::make_transformer(native, options); });
  }
  return backbone;
}

}  // namespace regulus::probe
