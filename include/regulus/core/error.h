#pragma once

#include <stdexcept>
#include <string>

namespace regulus {

/// What went wrong, as far as the user's next step is concerned. Each kind has one exit code (exit_code
/// below).
enum class ErrorKind { Internal, Options, Input, Model, Storage, Interrupted };

/// Exit code of the program for a kind of error: 1 internal, 2 options, 3 input data, 4 model or checkpoint,
/// 5 storage, 75 interrupted and resumable.
int exit_code(ErrorKind kind);

/// The one error type that leaves a module: what happened, where, and what to do about it.
class Error : public std::runtime_error {
 public:
  /// \param where  the file, data set, gene or option concerned; may be empty
  /// \param hint   the remedy, a sentence for the user; may be empty
  Error(ErrorKind kind, std::string message, std::string where = {}, std::string hint = {});

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string where_;
  std::string hint_;
};

/// A wrong, unknown or contradictory option (exit code 2).
struct OptionError : Error {
  explicit OptionError(std::string message, std::string option = {}, std::string hint = {})
      : Error(ErrorKind::Options, std::move(message), std::move(option), std::move(hint)) {}
};

/// Input data that cannot be used (exit code 3).
struct InputError : Error {
  explicit InputError(std::string message, std::string where = {}, std::string hint = {})
      : Error(ErrorKind::Input, std::move(message), std::move(where), std::move(hint)) {}
};

/// A model folder, checkpoint or translator that cannot be used, or a non-finite model response (exit code
/// 4).
struct ModelError : Error {
  explicit ModelError(std::string message, std::string where = {}, std::string hint = {})
      : Error(ErrorKind::Model, std::move(message), std::move(where), std::move(hint)) {}
};

/// A file that cannot be opened, written or flushed (exit code 5).
struct StorageError : Error {
  explicit StorageError(std::string message, std::string where = {}, std::string hint = {})
      : Error(ErrorKind::Storage, std::move(message), std::move(where), std::move(hint)) {}
};

/// Stopped on request at a point from which the job resumes (exit code 75).
struct Interrupted : Error {
  explicit Interrupted(std::string message) : Error(ErrorKind::Interrupted, std::move(message)) {}
};

}  // namespace regulus
