// SPDX-License-Identifier: MIT
// What the commands share: how they are added to the command line, how they open a file, how they fail.
#pragma once

#include <brine/brine.hpp>

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>

namespace tool {

/// Exit codes: done; refused, cannot be opened or differs; wrong usage.
enum Exit : int { kDone = 0, kRefused = 1, kUsage = 2 };

/// For an option's transform(): "-" is this device.
std::function<std::string(std::string)> stream(const char* device);

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

/// One line on standard error, an Error's with its kind at the end: "brine: m.pth: … [corrupt]". With --json also an object on standard output:
/// {"error": {"kind", "code", "message", "file", "record", "offset", "opcode", "path"}}, null where it is not known. Returns kRefused.
int fail(const brine::Error& error);
int fail(const std::string& message);
/// The same of wrong usage. Returns kUsage.
int fail_usage(const std::string& message);
void set_json_errors(bool on);

/// Is standard output a terminal? Then it was said that `what` ("an .npy file") does not go there.
bool refuse_terminal(const std::string& what);

using brine::printable;

/// Text of the file for a table: printable, and without its middle where it would take more than so many columns.
std::string cell(std::string_view text, std::size_t most = 80);
/// Characters of UTF-8, as a terminal's columns count most of them.
std::size_t columns(std::string_view text);

/// Writes all of it; false, after a message (but for a closed pipe), when standard output does not take it. `last`: nothing follows.
bool write_out(std::string_view text, bool last = true);

/// "1.2 MB".
std::string human_bytes(std::uint64_t bytes);
std::string shape_text(const brine::Tensor& tensor);

}  // namespace tool
