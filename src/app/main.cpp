#include <algorithm>
#include <memory>

#include "commands.h"
#include "failure.h"
#include "options.h"
#include "regulus/core/fault.h"
#include "regulus/core/log.h"
#include "runtime.h"

namespace {

using namespace regulus;

/// --help and --version: their text, empty if neither was asked for.
std::string answer(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    throw OptionError("no command given", "regulus", "regulus --help lists the commands");
  const std::string& first = arguments.front();
  if (first == "--version") return fmt::format("regulus {} ({})\n", version(), git_revision());
  if (first == "--help" || first == "-h") return app::program_help();
  const app::Command& command = app::find_command(first);
  return app::asks_for_help(arguments) ? app::command_help(command) : "";
}

void run(const comm::Communicator& world, std::vector<std::string> arguments, const StopSignal* stop_signal) {
  fault::start(world.rank());
  world.broadcast(arguments);
  const std::string text = answer(arguments);
  if (world.is_root()) fmt::print("{}", text);
  if (!text.empty()) return;

  const app::Command& command = app::find_command(arguments.front());
  const app::Options options = app::read_options(world, command, {arguments.begin() + 1, arguments.end()});
  app::start_log(world, options);
  const int threads = app::start_threads(world, options);
  Provenance provenance(command.name, options.to_json());
  provenance.set_layout(world.size(), threads, world.host_count());
  app::Session session{
      world,      options, provenance, app::seed_of(options), threads, app::shows_progress(world, options),
      stop_signal};
  command.run(session);
}

/// From the first moment of a command that can stop in time, signals that ask for it do not end the process.
std::unique_ptr<StopSignal> stop_signal_of(int argc, char** argv) {
  const auto& all = app::commands();
  const bool resumable = argc > 1 && std::any_of(all.begin(), all.end(), [&](const app::Command& command) {
                           return command.resumable && command.name == argv[1];
                         });
  return resumable ? std::make_unique<StopSignal>() : nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  // Never destroyed: a signal that comes while the process ends must not change its exit code.
  const StopSignal* const stop_signal = stop_signal_of(argc, argv).release();
  app::tune_allocator();
  comm::Environment environment(argc, argv);
  const comm::Communicator world = comm::Communicator::world();
  return app::exit_code_of(world, [&] { run(world, {argv + 1, argv + argc}, stop_signal); });
}
