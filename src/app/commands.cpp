#include "commands.h"

namespace regulus::app {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      simulate_command(), prepare_command(), pretrain_command(), probe_command(),  plan_command(),
      train_command(),    infer_command(),   evaluate_command(), export_command(), inspect_command(),
  };
  return table;
}

}  // namespace regulus::app
