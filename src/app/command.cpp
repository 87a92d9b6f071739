#include "command.h"

#include <algorithm>
#include <boost/any.hpp>

namespace regulus::app {

namespace {

template <typename T>
bool put(const boost::any& value, nlohmann::json& json) {
  const T* typed = boost::any_cast<T>(&value);
  if (typed != nullptr) json = *typed;
  return typed != nullptr;
}

template <typename... T>
bool put_one_of(const boost::any& value, nlohmann::json& json) {
  return ((put<T>(value, json) || put<std::vector<T>>(value, json)) || ...);
}

}  // namespace

const po::variable_value& Options::find(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty())
    throw OptionError("this option is required", "--" + name, "--help explains it");
  return found->second;
}

const std::string& Options::one_of(const std::string& name, const std::vector<std::string>& choices) const {
  const auto& value = get<std::string>(name);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  throw OptionError(fmt::format("'{}' is not one of {}", value, fmt::join(choices, ", ")), "--" + name);
}

bool Options::given(const std::string& name) const {
  const auto found = values_.find(name);
  return found != values_.end() && !found->second.empty() && !found->second.defaulted();
}

nlohmann::json Options::to_json() const {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, value] : values_) {
    if (value.empty()) continue;
    if (!put_one_of<bool, int, std::int64_t, std::uint64_t, float, double, std::string>(value.value(),
                                                                                        json[name]))
      throw Error(ErrorKind::Internal, "an option of this type cannot be recorded", "--" + name);
  }
  return json;
}

}  // namespace regulus::app
