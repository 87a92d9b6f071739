#include "commands.h"

namespace regulus::app {

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      inspect_command(),
  };
  return table;
}

}  // namespace regulus::app
