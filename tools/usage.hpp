// SPDX-License-Identifier: MIT
// What is said of a command line that cannot be run: one line, with the word that was probably meant and where the help is.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tool {

/// The words as CLI11 reads them right: `help [VERB]` asks for the help, and a number that follows its option stays with it
/// (--depth -1 is no option -1).
std::vector<std::string> usual_words(const CLI::App& app, std::vector<std::string> words);

/// What all verbs share: --json (of those that print none of their own: for errors), and counts that are refused when negative.
void complete_verbs(CLI::App& app);

/// What is wrong, where the first word is no verb.
std::optional<std::string> unknown_verb(const CLI::App& app, const std::vector<std::string>& words);

/// Why CLI11 refused the words.
std::string usage_fault(const CLI::App& app, const std::vector<std::string>& words, const CLI::ParseError& error);

}  // namespace tool
