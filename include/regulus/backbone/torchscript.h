#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "regulus/backbone/backbone.h"

namespace regulus::backbone {

/// A TorchScript model folder (docs/formats/torchscript_model.md) as read: plain data, so that one rank can
/// read it and broadcast it.
struct ScriptedModel {
  data::Vocabulary vocabulary;
  InputConvention input;
  std::string module_bytes;       ///< content of model.pt
  std::string checkpoint_sha256;  ///< of model.pt
  std::string where;              ///< path of model.pt, for errors
};

/// Reads model.pt, vocab.json and, where it exists, args.json; what args.json does not say has the defaults
/// of input_from_args(). The program inside model.pt is not looked at. \collective no \throws ModelError if a
/// file is missing or malformed
ScriptedModel read_scripted_model(const std::filesystem::path& folder);

/// A backbone that runs a scripted module, frozen and converted to `precision`:
///
///     forward(gene_ids int64 [B, L], values float [B, L], padding_mask bool [B, L]) -> predictions [B, L]
///
/// and, where the module exports it, embed(gene_ids int64 [n]) -> [n, d]. Opening makes trial calls of both
/// and of the derivative. Derivatives take forward-mode AD where LibTorch has it for every operation of the
/// module; else two backward passes per batch; else one backward pass per target, with a warning that it is
/// slow. The choice depends on the module alone, so every rank makes the same. It shows no attention. \param
/// precision at::kFloat or at::kDouble \throws ModelError if the archive cannot be loaded, or a trial call
/// fails or returns another shape or type
std::unique_ptr<Backbone> make_script_backbone(const ScriptedModel& model, at::ScalarType precision);

}  // namespace regulus::backbone
