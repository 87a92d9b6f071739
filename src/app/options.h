#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace regulus::app {

/// Options that every command takes.
void declare_common_options(po::options_description& description);

/// Merges defaults, the job file and the command line of one command.
/// \param arguments  after the command's name; the same on every rank
/// \throws OptionError on every rank: unknown option, bad value, unreadable job file …
/// \collective yes; rank 0 reads the job file, and the ranks compare what they understood
Options read_options(const comm::Communicator& world, const Command& command,
                     const std::vector<std::string>& arguments);

/// \throws OptionError if there is no such command, with the nearest name
const Command& find_command(const std::string& name);

std::string program_help();
std::string command_help(const Command& command);

/// True if --help or -h is among the arguments.
bool asks_for_help(const std::vector<std::string>& arguments);

}  // namespace regulus::app
