#include <fmt/format.h>

#include <filesystem>

#include "commands.h"
#include "regulus/comm/agree.h"

namespace regulus::app {

namespace {

void declare(po::options_description& description) {
  description.add_options()("file", list<std::string>()->value_name("FILE"),
                            "what to look at; its name may stand alone");
}

void run(Session& session) {
  const auto& files = session.options.get<std::vector<std::string>>("file");
  comm::agree_on_root(session.world, "inspect", [&] {
    for (const auto& file : files) {
      if (!std::filesystem::exists(file)) throw InputError("no such file or folder", file);
      throw InputError("not a file that regulus knows", file);
    }
  });
}

}  // namespace

Command inspect_command() {
  return {"inspect", "Say what a file is, what is in it, and whether it is whole", declare, run, "file"};
}

}  // namespace regulus::app
