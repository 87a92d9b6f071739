#include "regulus/core/error.h"

namespace regulus {

namespace {

std::string compose(const std::string& message, const std::string& where, const std::string& hint) {
  std::string text = where.empty() ? message : where + ": " + message;
  if (!hint.empty()) text += " (" + hint + ")";
  return text;
}

}  // namespace

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Options:
      return 2;
    case ErrorKind::Input:
      return 3;
    case ErrorKind::Model:
      return 4;
    case ErrorKind::Storage:
      return 5;
    case ErrorKind::Interrupted:
      return 75;
    case ErrorKind::Internal:
      break;
  }
  return 1;
}

Error::Error(ErrorKind kind, std::string message, std::string where, std::string hint)
    : std::runtime_error(compose(message, where, hint)),
      kind_(kind),
      message_(std::move(message)),
      where_(std::move(where)),
      hint_(std::move(hint)) {}

}  // namespace regulus
