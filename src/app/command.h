#pragma once

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/core/error.h"
#include "regulus/core/provenance.h"
#include "regulus/core/stop_signal.h"

namespace regulus::app {

namespace po = boost::program_options;

/// The values of one command's options: defaults, overridden by the job file, overridden by the command line.
/// The same on every rank.
class Options {
 public:
  Options() = default;
  explicit Options(po::variables_map values) : values_(std::move(values)) {}

  /// The value as the type it was declared with.
  /// \throws OptionError naming the option if it was not given and has no default
  template <typename T>
  const T& get(const std::string& name) const;

  /// get(), refused (OptionError) outside [low, high]; without `high` there is no upper limit.
  template <typename T>
  T in_range(const std::string& name, T low, T high = std::numeric_limits<T>::max()) const;

  /// get<std::string>(), refused (OptionError) unless it is one of `choices`.
  const std::string& one_of(const std::string& name, const std::vector<std::string>& choices) const;

  /// True if the user gave it; false for a default.
  bool given(const std::string& name) const;

  /// Every option with a value, defaults included: for provenance.
  nlohmann::json to_json() const;

 private:
  const po::variable_value& find(const std::string& name) const;

  po::variables_map values_;
};

/// A list option: on the command line several arguments, commas, or both; in a job file spaces, commas or
/// repeated keys.
template <typename T>
po::typed_value<std::vector<T>>* list() {
  return po::value<std::vector<T>>()->multitoken();
}

/// A list option with a default; `shown` is the default as --help prints it.
template <typename T>
po::typed_value<std::vector<T>>* list(const std::vector<T>& defaults, const std::string& shown) {
  return list<T>()->default_value(defaults, shown);
}

/// What every command gets.
struct Session {
  const comm::Communicator& world;
  const Options& options;
  Provenance& provenance;
  std::uint64_t seed;
  int threads;                    ///< of this rank, the same on every rank
  bool progress;                  ///< true on rank 0 only, when wanted
  const StopSignal* stop_signal;  ///< of a resumable command; null for the others
};

/// One command of the program.
struct Command {
  std::string name;
  std::string summary;  ///< one line of --help
  /// Adds the command's own options, with defaults and units; the common ones come with every command.
  void (*declare)(po::options_description&);
  /// Does the work. \throws Error \collective yes
  void (*run)(Session&);
  std::string positional{};  ///< the option that bare arguments belong to; empty if the command takes none
  bool resumable = false;    ///< takes --resume and --max-hours, which are refused otherwise
  /// Takes --device cuda and --precision bfloat16, which are refused otherwise; decides on them itself.
  bool accelerated = false;
};

template <typename T>
const T& Options::get(const std::string& name) const {
  return find(name).as<T>();
}

template <typename T>
T Options::in_range(const std::string& name, T low, T high) const {
  const T value = get<T>(name);
  if (value >= low && value <= high) return value;
  throw OptionError(high == std::numeric_limits<T>::max()
                        ? fmt::format("{} is less than {}", value, low)
                        : fmt::format("{} is not between {} and {}", value, low, high),
                    "--" + name);
}

}  // namespace regulus::app
