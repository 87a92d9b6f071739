#include "regulus/core/same_job.h"

#include <nlohmann/json.hpp>
#include <set>

#include "regulus/core/error.h"

namespace regulus {

namespace {

using nlohmann::json;

std::string shown(const json* value) {
  constexpr std::size_t kLongest = 160;
  if (value == nullptr) return "nothing";
  const std::string text = value->dump(-1, ' ', true);  // ASCII: it may be cut anywhere
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

const json* entry(const json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::set<std::string> names_of(const json& a, const json& b) {
  std::set<std::string> names;
  for (const json* object : {&a, &b})
    for (const auto& item : object->items()) names.insert(item.key());
  return names;
}

}  // namespace

std::optional<JobDifference> first_difference(const json& saved, const json& wanted) {
  for (const std::string& name : names_of(saved, wanted)) {
    const json* before = entry(saved, name);
    const json* now = entry(wanted, name);
    if (before != nullptr && now != nullptr && *before == *now) continue;
    if (before != nullptr && now != nullptr && before->is_object() && now->is_object()) {
      const auto inner = first_difference(*before, *now);
      return JobDifference{name + "." + inner->name, inner->saved, inner->wanted};
    }
    return JobDifference{name, shown(before), shown(now)};
  }
  return std::nullopt;
}

void require_same_job(const json& saved, const json& wanted, const std::string& where) {
  const auto difference = first_difference(saved, wanted);
  if (!difference) return;
  throw OptionError(difference->wanted + " differs from " + difference->saved + " in " + where,
                    "--" + difference->name, "resume with the same options, or start anew with --overwrite");
}

}  // namespace regulus
