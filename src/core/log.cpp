#include "regulus/core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "regulus/core/error.h"

namespace regulus::log {

namespace {

Settings& current() {
  static Settings settings;
  return settings;
}

std::shared_ptr<spdlog::sinks::sink>& file_sink() {
  static std::shared_ptr<spdlog::sinks::sink> sink;
  return sink;
}

spdlog::level::level_enum parse_level(const std::string& level) {
  if (level == "debug") return spdlog::level::debug;
  if (level == "info") return spdlog::level::info;
  if (level == "warning") return spdlog::level::warn;
  if (level == "error") return spdlog::level::err;
  if (level == "off") return spdlog::level::off;
  throw OptionError("unknown log level '" + level + "'", "--log-level",
                    "use debug, info, warning, error or off");
}

std::string prefixed(const std::string& text) {
  if (current().size == 1) return text;
  return fmt::format("[r{}/{}] {}", current().rank, current().size, text);
}

std::shared_ptr<spdlog::sinks::sink> open_log_file(const std::string& file) {
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  } catch (const spdlog::spdlog_ex& failure) {
    throw StorageError(failure.what(), file, "choose a writable --log-file");
  }
}

}  // namespace

void configure(const Settings& settings) {
  const auto level = parse_level(settings.level);
  std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks{
      std::make_shared<spdlog::sinks::stderr_color_sink_mt>()};
  if (!settings.file.empty() && settings.rank == 0) {
    file_sink() = open_log_file(settings.file);
    sinks.push_back(file_sink());
  }
  auto logger = std::make_shared<spdlog::logger>("regulus", sinks.begin(), sinks.end());
  logger->set_level(level);
  logger->flush_on(spdlog::level::info);
  logger->set_pattern("%H:%M:%S %^%l%$ %v");
  spdlog::set_default_logger(logger);
  current() = settings;
}

void debug(const std::string& text) {
  if (current().rank == 0) spdlog::debug("{}", text);
}

void info(const std::string& text) {
  if (current().rank == 0) spdlog::info("{}", text);
}

void warning(const std::string& text) {
  spdlog::warn("{}", prefixed(text));
}

void common_warning(const std::string& text) {
  if (current().rank == 0) spdlog::warn("{}", text);
}

void error(const std::string& text) {
  spdlog::error("{}", prefixed(text));
}

void failure(const std::string& text) {
  fmt::print(stderr, "regulus: error: {}\n", text);
  if (file_sink()) spdlog::logger("regulus", file_sink()).error("{}", text);
}

}  // namespace regulus::log
