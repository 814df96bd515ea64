// SPDX-License-Identifier: MIT
#include "usage.hpp"

#include <algorithm>
#include <numeric>

namespace tool {

namespace {

std::size_t edits_between(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

// "; did you mean ls?", or nothing where no word is near.
std::string meant(const std::string& word, const std::vector<std::string>& words) {
  const std::string* best = nullptr;
  std::size_t min = word.size() > 64 ? 0 : std::clamp<std::size_t>(word.size() / 2 + 1, 2, 4);
  for (const std::string& w : words) {
    const bool begins = word.size() > 1 && w.starts_with(word);
    const std::size_t edits = begins ? 0 : edits_between(word.substr(0, 64), w);
    if (edits < min || (begins && min != 0)) min = edits, best = &w;
  }
  return best ? "; did you mean " + *best + "?" : "";
}

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

std::string name_of(const std::string& option) { return option.substr(0, option.find('=')); }

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App* verb_of(const CLI::App& app, const std::vector<std::string>& words) {
  const auto word = std::find_if_not(words.begin(), words.end(), is_option);
  for (const CLI::App* verb : verbs_of(app))
    if (word != words.end() && verb->get_name() == *word) return verb;
  return nullptr;
}

std::vector<std::string> options_of(const CLI::App& verb) {
  std::vector<std::string> out;
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  return out;
}

// CLI11's own words where they are plain.
std::string fault_text(const CLI::App& verb, const std::vector<std::string>& words, const CLI::ParseError& error) {
  const std::string text = error.what(), name = text.substr(0, text.find_first_of(": "));
  if (text.starts_with("The following argument")) return "expected no more words, found " + text.substr(std::min(text.size(), text.find(": ") + 2));
  if (error.get_name() == "ArgumentMismatch" && name.starts_with('-')) return "expected a value behind " + name;
  if (error.get_name() != "RequiredError") return text;
  for (const std::string& word : words) {
    const CLI::Option* option = is_option(word) ? verb.get_option_no_throw(word) : nullptr;
    if (option && option->get_expected_min() == 0 && option->get_expected_max() == 1) return text + "; the word behind " + word + " is its own, so the files go before it";
  }
  return text;
}

std::string count_fault(const std::string& text) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && text.size() < 20 ? "" : "expected a number from 0 on, found " + text;
}

}  // namespace

std::vector<std::string> usual_words(const CLI::App& app, std::vector<std::string> words) {
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.insert(words.begin() + (words.empty() ? 0 : 1), "--help");
  }
  const CLI::App* verb = verb_of(app, words);
  for (std::size_t i = 0; verb && i + 1 < words.size() && words[i] != "--"; ++i) {
    const CLI::Option* option = is_option(words[i]) ? verb->get_option_no_throw(words[i]) : nullptr;
    const std::string& next = words[i + 1];
    if (!option || option->get_items_expected_max() == 0 || next.size() < 2 || next[0] != '-' || !(next[1] == '.' || (next[1] >= '0' && next[1] <= '9'))) continue;
    words[i] += (words[i].starts_with("--") ? "=" : "") + next;
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return words;
}

void complete_verbs(CLI::App& app) {
  for (CLI::App* verb : app.get_subcommands([](CLI::App*) { return true; })) {
    if (!verb->get_option_no_throw("--json")) verb->add_flag_function("--json", [](std::int64_t) {}, "an error as JSON, on standard output");
    for (CLI::Option* option : verb->get_options())
      if (option->get_type_name().find("UINT") != std::string::npos) option->check(CLI::Validator(count_fault, ""));
  }
}

std::optional<std::string> unknown_verb(const CLI::App& app, const std::vector<std::string>& words) {
  const auto first = std::find_if_not(words.begin(), words.end(), is_option);
  if (first == words.end() || verb_of(app, words)) return std::nullopt;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : verbs_of(app)) verbs.push_back(verb->get_name());
  return "there is no verb " + *first + meant(*first, verbs) + " (brine help lists them)";
}

std::string usage_fault(const CLI::App& app, const std::vector<std::string>& words, const CLI::ParseError& error) {
  const CLI::App* verb = verb_of(app, words);
  const CLI::App& at = verb ? *verb : app;
  const std::string where = verb ? " (brine " + verb->get_name() + " --help tells how)" : " (brine help lists verbs and options)";
  for (const std::string& word : words) {
    if (word == "--") break;
    if (!word.starts_with("--") || at.get_option_no_throw(name_of(word))) continue;
    return (verb ? verb->get_name() + " has no option " : "there is no option ") + name_of(word) + meant(name_of(word), options_of(at)) + where;
  }
  return verb ? verb->get_name() + ": " + fault_text(*verb, words, error) + where : "expected a verb" + where;
}

}  // namespace tool
