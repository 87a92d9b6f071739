#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace regulus {

/// An entry in which two descriptions of a job differ.
struct JobDifference {
  std::string name;           ///< its key; of an object in an object, both with a dot between
  std::string saved, wanted;  ///< the two values as JSON, shortened; "nothing" where there is none
};

/// The first difference, by name, of two JSON objects; none if they are equal. Numbers are equal by value.
std::optional<JobDifference> first_difference(const nlohmann::json& saved, const nlohmann::json& wanted);

/// That interrupted work may be continued: both describe the same job, by the names of the command's options.
/// \param where the file that holds `saved` \throws OptionError naming the first option that differs, with
///   both values
void require_same_job(const nlohmann::json& saved, const nlohmann::json& wanted, const std::string& where);

}  // namespace regulus
