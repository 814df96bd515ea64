// SPDX-License-Identifier: MIT
// What the commands say: errors, and text of a file, counts and sizes as they are printed.
#pragma once

#include <brine/brine.hpp>

#include <string>
#include <string_view>

namespace tool {

/// Exit codes: done; refused, cannot be opened or differs; wrong usage.
enum Exit : int { kDone = 0, kRefused = 1, kUsage = 2 };

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
