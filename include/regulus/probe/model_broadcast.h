#pragma once

#include <memory>
#include <string>

#include "regulus/backbone/transformer.h"
#include "regulus/comm/communicator.h"

namespace regulus::probe {

/// Whether `--model` names a scripted module, "torchscript:FOLDER".
bool is_scripted(const std::string& model);

/// The model that `--model` names: a model folder or one of its checkpoints, or "torchscript:FOLDER" with a
/// scripted module. Read by rank 0 and sent to all.
/// \throws ModelError if it cannot be used, OptionError if the options do not suit it; the same on every rank
/// \collective yes
std::unique_ptr<backbone::Backbone> open_backbone(const comm::Communicator& comm, const std::string& model,
                                                  const backbone::TransformerOptions& options);

}  // namespace regulus::probe
