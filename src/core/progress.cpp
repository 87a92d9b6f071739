#include "regulus/core/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "regulus/core/log.h"

namespace regulus {

namespace {

constexpr double kTerminalInterval_s = 0.2;
constexpr double kLogInterval_s = 15.0;
constexpr int kBarWidth = 30;

std::string duration(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02d}s", s / 60, s % 60);
  return fmt::format("{}h{:02d}m", s / 3600, s % 3600 / 60);
}

}  // namespace

Progress::Progress(std::string task, std::int64_t total, std::string unit, bool enabled)
    : task_(std::move(task)),
      total_(std::max<std::int64_t>(total, 1)),
      unit_(std::move(unit)),
      enabled_(enabled),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      last_shown_(start_) {}

Progress::~Progress() {
  if (enabled_ && terminal_ && done_ > 0) std::fputc('\n', stderr);
}

void Progress::advance(std::int64_t units, const std::string& note) {
  done_ += units;
  if (!enabled_) return;
  const double interval = terminal_ ? kTerminalInterval_s : kLogInterval_s;
  const auto now = Clock::now();
  if (done_ < total_ && std::chrono::duration<double>(now - last_shown_).count() < interval) return;
  last_shown_ = now;
  show(note);
}

void Progress::show(const std::string& note) {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = static_cast<double>(done_) / std::max(elapsed, 1e-9);
  const double eta = static_cast<double>(total_ - done_) / std::max(rate, 1e-9);
  const double share = static_cast<double>(done_) / static_cast<double>(total_);
  std::string text =
      fmt::format("{} {:3.0f} % ({}/{} {}, {:.3g} {}/s, {}, ETA {}){}", task_, 100.0 * share, done_, total_,
                  unit_, rate, unit_, duration(elapsed), duration(eta), note.empty() ? "" : " " + note);
  if (!terminal_) {
    log::info(text);
    return;
  }
  const int filled = static_cast<int>(share * kBarWidth);
  std::fprintf(stderr, "\r[%s%s] %s\033[K", std::string(static_cast<std::size_t>(filled), '#').c_str(),
               std::string(static_cast<std::size_t>(kBarWidth - filled), '.').c_str(), text.c_str());
  std::fflush(stderr);
}

}  // namespace regulus
