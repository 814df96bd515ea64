// SPDX-License-Identifier: MIT
// Progress on the terminal, for work that takes longer than a moment; it leaves nothing behind. Without a terminal it does nothing.
#pragma once

#include "messages.hpp"

#include <chrono>
#include <cstdio>
#include <memory>

#include <unistd.h>

namespace tool {

/// Copies share one line, which the last of them cleans.
class Progress {
 public:
  void operator()(std::uint64_t done, std::uint64_t total) const {
    if (!line_) return;
    const auto now = Clock::now();
    if (now - line_->start < std::chrono::milliseconds(500) || (now - line_->last < std::chrono::milliseconds(50) && done < total)) return;
    line_->last = now;
    const double part = total ? std::min(1.0, static_cast<double>(done) / static_cast<double>(total)) : 1.0;
    const std::string bar(static_cast<std::size_t>(part * 40), '#');
    std::fprintf(stderr, "\r[%-40s] %3d %%  %s ", bar.c_str(), static_cast<int>(part * 100), human_bytes(done).c_str());
    line_->shown = true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Line {
    Clock::time_point start = Clock::now(), last = start;
    bool shown = false;
    ~Line() {
      if (shown) std::fputs("\r\033[K", stderr);
    }
  };
  std::shared_ptr<Line> line_ = isatty(STDERR_FILENO) ? std::make_shared<Line>() : nullptr;
};

}  // namespace tool
