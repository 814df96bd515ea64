// SPDX-License-Identifier: MIT
// What the commands share: how they are added to the command line, and how they open a file.
#pragma once

#include "messages.hpp"
#include "places.hpp"

#include <brine/brine.hpp>

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// For an option's transform(): "-" is this device.
std::function<std::string(std::string)> stream(const char* device);

/// For an option's check(): one of these words, or a number from 1 to 5.
std::function<std::string(const std::string&)> one_of(std::vector<std::string> words);
std::string check_protocol(const std::string& text);

/// Which part of a file is the checkpoint: --offset, --length, --member.
struct Part {
  std::optional<std::uint64_t> offset, length;
  std::optional<std::string> member;

  /// `suffix`: "-a", of commands that take several files; `file`: "A".
  void add_to(CLI::App& command, const std::string& suffix = "", const std::string& file = "the file");
  /// Sets what was given.
  void choose(brine::LoadOptions& options) const;
};

/// For an option's check(): a dtype's name as people write it.
std::string check_dtype(const std::string& dtype);

/// What every command takes.
struct Common {
  std::string file, at;
  bool weights_only = false, plain = false;
  Part part;

  void add_to(CLI::App& command, bool with_at = true);
  brine::LoadOptions load_options() const;
  brine::Result<brine::Checkpoint> open() const { return brine::load(file, load_options()); }
};

/// A command sets `run` to what is to be done once the command line is known.
using Run = std::function<int()>;
void add_ls(CLI::App& app, Run& run);
void add_show(CLI::App& app, Run& run);
void add_cat(CLI::App& app, Run& run);
void add_convert(CLI::App& app, Run& run);
void add_diff(CLI::App& app, Run& run);
void add_match(CLI::App& app, Run& run);
void add_stats(CLI::App& app, Run& run);
void add_check(CLI::App& app, Run& run);
void add_pickle(CLI::App& app, Run& run);

}  // namespace tool
