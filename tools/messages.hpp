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
/// `suffix`: what the options of this file end in ("-a"), so that the advice names those.
int fail(const brine::Error& error, std::string_view suffix = {});
/// What is refused of a file, or of a wish, with the name of none.
int fail(const std::string& file, std::string text);
/// The same of wrong usage. Returns kUsage.
int fail_usage(const std::string& message);
void set_json_errors(bool on);

/// Is this file (standard output where no name is given) a terminal? Then it was said that `what` ("an .npy file") does not go there.
bool refuse_terminal(const std::string& what, const std::string& path = {});

using brine::printable;

/// Text of the file for a table: printable, and without its middle where it would take more than so many columns.
std::string cell(std::string_view text, std::size_t max = 80);
/// Characters of UTF-8, as a terminal's columns count most of them.
std::size_t columns(std::string_view text);

/// Writes all of it; false, after a message (but for a closed pipe), when standard output does not take it. `last`: nothing follows.
bool write_out(std::string_view text, bool last = true);

/// "1.2 MB".
std::string human_bytes(std::uint64_t bytes);
std::string shape_text(std::span<const std::int64_t> shape);  ///< "[3, 4]"
/// "sparse_coo" …, "nested", "meta", else "strided".
std::string layout_text(const brine::Tensor& tensor);
/// "float32", "float32 sparse_coo".
std::string dtype_text(const brine::Tensor& tensor);
/// Of what it is made of; none of what has no data.
std::uint64_t bytes_of(const brine::Tensor& tensor);

}  // namespace tool
