#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "inspection.h"
#include "regulus/comm/agree.h"

namespace regulus::app {

namespace {

void declare(po::options_description& description) {
  description.add_options()("file", list<std::string>()->value_name("FILE"),
                            "what to look at; 'regulus inspect FILE ...' does without --file");
}

void print(const std::string& file, const Inspection& inspection) {
  std::size_t width = 0;
  for (const auto& [name, value] : inspection.facts) width = std::max(width, name.size());
  fmt::print("{}: {}, {}\n", file, inspection.kind, inspection.unfinished.empty() ? "whole" : "not whole");
  for (const auto& [name, value] : inspection.facts) fmt::print("  {:<{}}  {}\n", name, width, value);
  if (!inspection.table.empty()) fmt::print("\n{}", inspection.table);
}

/// Damage is bad input here, whichever command the file belongs to.
Inspection inspect(const std::string& file) {
  try {
    return inspect_path(file);
  } catch (const Error& error) {
    throw InputError(error.message(), error.where(), error.hint());
  }
}

void run(Session& session) {
  const auto& files = session.options.get<std::vector<std::string>>("file");
  comm::agree_on_root(session.world, "inspect", [&] {
    for (const auto& file : files) {
      const Inspection inspection = inspect(file);
      print(file, inspection);
      if (!inspection.unfinished.empty()) throw InputError("not whole: " + inspection.unfinished, file);
    }
  });
}

}  // namespace

Command inspect_command() {
  return {.name = "inspect",
          .summary = "Say what a file is, what is in it, and whether it is whole",
          .declare = declare,
          .run = run,
          .positional = "file"};
}

}  // namespace regulus::app
