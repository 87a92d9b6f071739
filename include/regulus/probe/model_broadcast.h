#pragma once

#include <filesystem>

#include "regulus/backbone/model_folder.h"
#include "regulus/comm/communicator.h"

namespace regulus::probe {

/// A model folder read by rank 0 and sent to all.
/// \throws ModelError on every rank if the folder cannot be used \collective yes
backbone::Model load_model(const comm::Communicator& comm, const std::filesystem::path& folder);

}  // namespace regulus::probe
