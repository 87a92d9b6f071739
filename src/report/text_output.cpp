#include "text_output.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "regulus/core/error.h"

namespace regulus::report {

namespace {

void require(bool succeeded, const std::filesystem::path& path) {
  if (succeeded) return;
  throw StorageError(std::string("cannot be written: ") + std::strerror(errno), path.string(),
                     "check that its folder exists and is writable, and that there is free space");
}

}  // namespace

TextOutput::TextOutput(const std::filesystem::path& path)
    : partial_(path), file_(std::fopen(partial_.path().c_str(), "wbe")) {
  require(file_ != nullptr, path);
}

void TextOutput::write(std::string_view text) {
  require(std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size(), partial_.target());
}

void TextOutput::close() {
  require(std::fflush(file_.get()) == 0, partial_.target());
  require(std::fclose(file_.release()) == 0, partial_.target());
  partial_.commit();
}

}  // namespace regulus::report
