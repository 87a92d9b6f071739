#pragma once

#include <c10/core/Device.h>

#include "command.h"

namespace regulus::app {

/// The device of this rank, by --device: `auto` is CUDA if every rank has a device, else the CPU. The ranks
/// of a host share its devices in turn. \throws OptionError on every rank if CUDA is asked for and a rank has
/// none \collective yes
c10::Device choose_device(const comm::Communicator& world, const Options& options);

}  // namespace regulus::app
