#pragma once

#include <nlohmann/json.hpp>

#include "regulus/comm/communicator.h"

namespace regulus::scheduler {

/// Seconds of what the runner does between units, on these ranks: taking a number while all ranks take, a
/// collective call, a message of a tile's sums and their addition, noting who holds what. \collective yes
nlohmann::json measure(const comm::Communicator& world);

}  // namespace regulus::scheduler
