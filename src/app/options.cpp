#include "options.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "commands.h"
#include "regulus/comm/agree.h"
#include "regulus/core/sha256.h"
#include "spelling.h"

namespace regulus::app {

namespace {

/// Long options only, so that a value such as -1 is never taken for an option, and no abbreviations.
constexpr int kStyle = po::command_line_style::allow_long | po::command_line_style::long_allow_adjacent |
                       po::command_line_style::long_allow_next;

constexpr unsigned kHelpWidth = 110;

using Parsed = std::vector<po::option>;

po::options_description describe(const Command& command) {
  po::options_description all;
  command.declare(all);
  declare_common_options(all);
  return all;
}

bool takes_list(const po::options_description& description, const std::string& key) {
  const auto* option = description.find_nothrow(key, false);
  return option != nullptr && option->semantic()->max_tokens() > 1;
}

std::vector<std::string> split(const std::string& text, const std::string& separators,
                               const std::string& quotes) {
  try {
    return po::split_unix(text, separators, quotes, "\\");
  } catch (const std::exception& failure) {
    throw OptionError("cannot split the list '" + text + "': " + failure.what());
  }
}

void split_lists(const po::options_description& description, Parsed& parsed, const std::string& separators,
                 const std::string& quotes) {
  for (auto& option : parsed) {
    if (!takes_list(description, option.string_key)) continue;
    std::vector<std::string> items;
    for (const auto& value : option.value)
      for (auto& item : split(value, separators, quotes)) items.push_back(std::move(item));
    option.value = std::move(items);
  }
}

std::string suggest_option(const po::options_description& description, const std::string& key,
                           const std::string& dashes) {
  std::vector<std::string> known;
  for (const auto& option : description.options()) known.push_back(option->long_name());
  const std::string nearest = nearest_word(key, known);
  return nearest.empty() ? "--help lists the options" : "did you mean " + dashes + nearest + "?";
}

/// \param dashes  what stands before an option's name: "--", or nothing in a job file
void refuse_unknown(const po::options_description& description, const Parsed& parsed,
                    const std::string& where, const std::string& dashes) {
  for (const auto& option : parsed) {
    if (option.unregistered)
      throw OptionError("unknown option '" + dashes + option.string_key + "'", where,
                        suggest_option(description, option.string_key, dashes));
    if (option.string_key.empty())
      throw OptionError("unexpected argument '" + option.value.front() + "'", where,
                        "--help lists the options");
  }
}

Parsed parse_arguments(const Command& command, const po::options_description& description,
                       const std::vector<std::string>& arguments) {
  po::positional_options_description positional;
  if (!command.positional.empty()) positional.add(command.positional.c_str(), -1);
  po::command_line_parser parser(arguments);
  parser.options(description).style(kStyle).allow_unregistered();
  if (!command.positional.empty()) parser.positional(positional);
  Parsed parsed = parser.run().options;
  refuse_unknown(description, parsed, "regulus " + command.name, "--");
  split_lists(description, parsed, ",", "");
  return parsed;
}

Parsed parse_job(const po::options_description& description, const std::string& file,
                 const std::string& text) {
  std::istringstream stream(text);
  Parsed parsed = po::parse_config_file(stream, description, true).options;
  refuse_unknown(description, parsed, file, "");
  for (const auto& option : parsed)
    if (option.string_key == "job") throw OptionError("a job file cannot name another job file", file);
  split_lists(description, parsed, " \t,", "\"'");
  return parsed;
}

/// An option of the command line replaces the job file's, lists included.
void drop_overridden(Parsed& job, const Parsed& command_line) {
  std::set<std::string> given;
  for (const auto& option : command_line) given.insert(option.string_key);
  std::erase_if(job, [&](const po::option& option) { return given.contains(option.string_key); });
}

void store(const po::options_description& description, const Parsed& parsed, po::variables_map& values) {
  po::parsed_options options(&description);
  options.options = parsed;
  po::store(options, values);
}

/// Runs a step of Boost.Program_options; what it throws becomes an OptionError that names `where`.
template <typename Step>
auto translated(const std::string& where, Step&& step) {
  try {
    return step();
  } catch (const po::error& failure) {
    throw OptionError(failure.what(), where, "--help lists the options");
  }
}

void refuse_unavailable(const Command& command, const Options& options) {
  if (options.one_of("device", {"auto", "cpu", "cuda"}) == "cuda" && !command.accelerated)
    throw OptionError("'" + command.name + "' runs on the CPU", "--device cuda", "use cpu");
  if (options.one_of("precision", {"float32", "bfloat16"}) == "bfloat16" && !command.accelerated)
    throw OptionError("'" + command.name + "' has no use for it", "--precision bfloat16", "use float32");
  options.one_of("progress", {"auto", "on", "off"});
  for (const char* name : {"resume", "max-hours"})
    if (!command.resumable && options.given(name))
      throw OptionError("'" + command.name + "' cannot be resumed in this version", std::string("--") + name,
                        "leave it out: an unfinished run starts again");
}

struct Texts {
  std::string job_file;
  std::string job;
};

Options parse(const Command& command, const std::vector<std::string>& arguments, const Texts& texts) {
  const po::options_description description = describe(command);
  const std::string where = "regulus " + command.name;
  const Parsed command_line =
      translated(where, [&] { return parse_arguments(command, description, arguments); });
  po::variables_map values;
  translated(where, [&] { store(description, command_line, values); });
  if (!texts.job_file.empty())
    translated(texts.job_file, [&] {
      Parsed job = parse_job(description, texts.job_file, texts.job);
      drop_overridden(job, command_line);
      store(description, job, values);
    });
  Options options(std::move(values));
  refuse_unavailable(command, options);
  return options;
}

/// The value of --job, found before the full parse because the file takes part in it.
std::string job_file_of(const Command& command, const std::vector<std::string>& arguments) {
  const po::options_description description = describe(command);
  const Parsed parsed =
      translated("regulus " + command.name, [&] { return parse_arguments(command, description, arguments); });
  for (const auto& option : parsed)
    if (option.string_key == "job" && !option.value.empty()) return option.value.front();
  return {};
}

std::string read_job(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf()))
    throw OptionError("cannot read the job file, or it is empty", file);
  return text.str();
}

void compare_across_ranks(const comm::Communicator& world, const Options& options) {
  const std::string text = version() + git_revision() + options.to_json().dump();
  const std::string mine = sha256(text.data(), text.size());
  std::string root = mine;
  world.broadcast(root);
  comm::agree(world, "options", [&] {
    if (mine != root)
      throw OptionError("this rank understood the options differently from rank 0", {},
                        "run the same build of regulus on every host");
  });
}

}  // namespace

void declare_common_options(po::options_description& description) {
  po::options_description common("Common options", kHelpWidth, kHelpWidth / 2);
  auto add = common.add_options();
  add("job", po::value<std::string>()->value_name("FILE.ini"),
      "job file: any of these options as 'name = value' lines; the command line wins");
  add("device", po::value<std::string>()->default_value("auto")->value_name("NAME"),
      "auto, cpu or cuda (probe); auto: cuda where LibTorch has a device on every rank");
  add("threads", po::value<int>()->default_value(0)->value_name("N"),
      "threads per rank; 0: OMP_NUM_THREADS, else cores / ranks of the host");
  add("precision", po::value<std::string>()->default_value("float32")->value_name("NAME"),
      "float32 or bfloat16 (probe: of gdt and osg; the other features stay in float32)");
  add("seed", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "seed of every random draw, 0 or more");
  add("resume", po::bool_switch(), "go on from where an interrupted run of the same job stopped");
  add("max-hours", po::value<double>()->value_name("HOURS"),
      "stop before this wall time in a state that --resume continues");
  add("log-level", po::value<std::string>()->default_value("info")->value_name("NAME"),
      "debug, info, warning, error or off");
  add("log-file", po::value<std::string>()->value_name("FILE"), "append the log to this file as well");
  add("progress", po::value<std::string>()->default_value("auto")->value_name("WHEN"),
      "auto, on or off; auto: unless --log-level is error or off");
  add("help", "show this and exit");
  description.add(common);
}

Options read_options(const comm::Communicator& world, const Command& command,
                     const std::vector<std::string>& arguments) {
  Texts texts;
  texts.job_file = comm::agree(world, "options", [&] { return job_file_of(command, arguments); });
  if (!texts.job_file.empty())
    comm::agree_on_root(world, "job file", [&] { texts.job = read_job(texts.job_file); });
  world.broadcast(texts.job);
  const Options options = comm::agree(world, "options", [&] { return parse(command, arguments, texts); });
  compare_across_ranks(world, options);
  return options;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& command : commands()) {
    if (command.name == name) return command;
    known.push_back(command.name);
  }
  const std::string nearest = nearest_word(name, known);
  throw OptionError("unknown command '" + name + "'", "regulus",
                    nearest.empty() ? "regulus --help lists the commands" : "did you mean " + nearest + "?");
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const std::string& text) { return text == "--help" || text == "-h"; });
}

std::string program_help() {
  std::string text = "regulus " + version() +
                     ": gene regulatory networks from frozen single-cell foundation models\n\n" +
                     "Usage: regulus COMMAND [--job FILE.ini] [--option VALUE ...]\n" +
                     "       mpirun -n RANKS regulus COMMAND ...\n\nCommands:\n";
  for (const auto& command : commands()) text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  return text + "\n'regulus COMMAND --help' shows the options of a command.\n";
}

std::string command_help(const Command& command) {
  po::options_description own("Options", kHelpWidth, kHelpWidth / 2);
  command.declare(own);
  declare_common_options(own);
  std::ostringstream text;
  text << "regulus " << command.name << ": " << command.summary << "\n\nUsage: regulus " << command.name
       << " [--job FILE.ini] [--option VALUE ...]";
  if (!command.positional.empty()) text << " FILE ...";
  text << "\n\n" << own;
  return text.str();
}

}  // namespace regulus::app
