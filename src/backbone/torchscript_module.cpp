#include "torchscript_module.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <sstream>

namespace regulus::backbone {

namespace {

constexpr const char* kSignature =
    "its signature must be forward(gene_ids int64 [B, L], values float [B, L], padding_mask bool [B, L]) -> "
    "predictions [B, L]";
constexpr const char* kEmbedSignature = "embed must be embed(gene_ids int64 [n]) -> [n, d]";

torch::jit::Module load(const std::string& bytes, const std::string& where) {
  return translated("is not a TorchScript archive", where,
                    "write it with torch.jit.script(model).save(\"model.pt\"); a state dict has no program",
                    [&] {
                      std::istringstream stream(bytes);
                      return torch::jit::load(stream, at::Device(at::kCPU));
                    });
}

/// Module::to() would convert integer buffers as well.
void convert(const torch::jit::Module& module, at::ScalarType precision) {
  for (const at::IValue& attribute : module.attributes()) {
    if (!attribute.isTensor() || !attribute.toTensor().defined()) continue;
    at::Tensor tensor = attribute.toTensor();
    if (!tensor.is_floating_point()) continue;
    tensor.requires_grad_(false);
    tensor.set_data(tensor.detach().to(precision));
  }
}

at::Tensor tensor_of(const at::IValue& value, const std::string& where, const char* signature) {
  if (!value.isTensor())
    throw ModelError(fmt::format("returned {}, not a tensor", value.tagKind()), where, signature);
  at::Tensor tensor = value.toTensor();
  if (!tensor.is_floating_point())
    throw ModelError(fmt::format("returned {} values", at::toString(tensor.scalar_type())), where, signature);
  return tensor;
}

[[noreturn]] void wrong_shape(const at::Tensor& tensor, const std::string& expected, const std::string& where,
                              const char* signature) {
  throw ModelError(fmt::format("returned the shape [{}] where {} is expected",
                               fmt::join(tensor.sizes().begin(), tensor.sizes().end(), ", "), expected),
                   where, signature);
}

std::string after_last(const std::string& text, const std::string& mark) {
  const auto found = text.rfind(mark);
  return found == std::string::npos ? text : text.substr(found + mark.size());
}

}  // namespace

std::string one_line(const std::exception& failure) {
  std::string text = failure.what();
  // The interpreter's own message follows its trace, behind the name of the Python exception.
  for (const char* mark : {"\nRuntimeError: ", "\nNotImplementedError: "}) text = after_last(text, mark);
  if (text.starts_with("The following operation failed"))
    text = after_last(text.substr(0, text.find_last_not_of('\n') + 1), "\n");
  const auto begin = text.find_first_not_of(" \n");
  if (begin == std::string::npos) return "no reason given";
  return text.substr(begin, text.find('\n', begin) - begin);
}

struct ScriptModule::Loaded {
  mutable torch::jit::Module module;

  at::IValue call(const char* method, std::vector<at::IValue> inputs) const {
    const torch::jit::GraphOptimizerEnabledGuard no_optimiser(false);
    return module.get_method(method)(std::move(inputs));
  }
};

ScriptModule::ScriptModule(const std::string& bytes, at::ScalarType precision, std::string where)
    : loaded_(new Loaded{load(bytes, where)}), precision_(precision), where_(std::move(where)) {
  if (!loaded_->module.find_method("forward")) throw ModelError("has no method forward", where_, kSignature);
  translated("cannot be frozen", where_, "save it on the CPU, without quantisation", [&] {
    loaded_->module.eval();
    convert(loaded_->module, precision_);
  });
}

ScriptModule::~ScriptModule() = default;

at::Tensor ScriptModule::forward(const at::Tensor& gene_ids, const at::Tensor& values) const {
  return translated("the module's forward failed", where_, kSignature, [&] {
    const at::Tensor mask = at::zeros(values.sizes(), gene_ids.options().dtype(at::kBool));
    const at::Tensor result =
        tensor_of(loaded_->call("forward", {gene_ids, values, mask}), where_, kSignature);
    if (result.sizes() != values.sizes())
      wrong_shape(result, fmt::format("[{}, {}]", values.size(0), values.size(1)), where_, kSignature);
    return result.to(precision_);
  });
}

bool ScriptModule::can_embed() const {
  return loaded_->module.find_method("embed").has_value();
}

at::Tensor ScriptModule::embed(const at::Tensor& gene_ids) const {
  return translated("the module's embed failed", where_, kEmbedSignature, [&] {
    const at::NoGradGuard no_gradients;
    const at::Tensor result = tensor_of(loaded_->call("embed", {gene_ids}), where_, kEmbedSignature);
    if (result.dim() != 2 || result.size(0) != gene_ids.size(0) || result.size(1) < 1)
      wrong_shape(result, fmt::format("[{}, d]", gene_ids.size(0)), where_, kEmbedSignature);
    return result.to(precision_);
  });
}

}  // namespace regulus::backbone
