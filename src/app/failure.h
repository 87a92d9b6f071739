#pragma once

#include <functional>

#include "regulus/comm/communicator.h"

namespace regulus::app {

/// Runs the program's work and turns its outcome into the exit code. If every rank failed, one message speaks
/// for all; if only some did, the others may wait for them in a collective, so these report themselves and
/// stop the whole job. \collective yes
int exit_code_of(const comm::Communicator& world, const std::function<void()>& work);

}  // namespace regulus::app
