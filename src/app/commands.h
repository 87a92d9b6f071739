#pragma once

#include <vector>

#include "command.h"

namespace regulus::app {

/// Each is defined in <name>_command.cpp and listed in commands.cpp.
Command simulate_command();
Command prepare_command();
Command pretrain_command();
Command probe_command();
Command train_command();
Command plan_command();
Command infer_command();
Command evaluate_command();
Command export_command();
Command inspect_command();

/// Every command of the program, in the order of a usual analysis.
const std::vector<Command>& commands();

}  // namespace regulus::app
