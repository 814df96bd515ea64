// SPDX-License-Identifier: MIT
// JSON for programs, written to standard output as it is made: nothing of the document is kept.
//
//   JsonWriter json;
//   json.object().field("file", file).key("tensors").array();
//   for (…) json.object().field("name", name).field("shape", shape).end();
//   return json.end().end().close() ? kDone : kRefused;
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// Appends the text as a JSON string of ASCII characters: other characters as \uXXXX, lone surrogates too. Different texts give different
/// strings, also once parsed: a byte that is no UTF-8 is U+FFFF and a surrogate (\uffff\udcNN), two lone surrogates that would be read as one
/// character have two U+FFFF between them, and U+FFFF before either is doubled.
void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  JsonWriter() = default;
  /// Prints nothing, only counts: ok() turns false when there are more than `max` bytes.
  explicit JsonWriter(std::uint64_t max) : counts_(true), max_(max) {}

  JsonWriter& object() { return open('{', '}'); }
  JsonWriter& array() { return open('[', ']'); }
  JsonWriter& end();  ///< closes the innermost object or array
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(std::nullptr_t) { return word("null"); }
  JsonWriter& value(double number);  ///< the shortest text that reads back as the same; "nan", "inf", "-inf" as strings
  template <std::same_as<bool> T>
  JsonWriter& value(T truth) { return word(truth ? "true" : "false"); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) { return word(std::to_string(number)); }
  template <class T>
  JsonWriter& value(const std::optional<T>& v) { return v ? value(*v) : value(nullptr); }
  JsonWriter& value(std::span<const std::int64_t> numbers);

  template <class T>
  JsonWriter& field(std::string_view name, const T& v) { return key(name).value(v); }

  /// Ends the line and writes what is left. False, after a message, when standard output did not take all of it.
  bool close();
  /// Bytes so far.
  std::uint64_t size() const noexcept { return flushed_ + out_.size(); }
  /// False once standard output does not take more: a long listing may stop.
  bool ok() const noexcept { return ok_; }

 private:
  JsonWriter& open(char begin, char end);
  JsonWriter& word(std::string_view text);
  void separate();
  void flush(bool last);
  std::string out_;
  std::uint64_t flushed_ = 0;
  std::vector<char> ends_;
  bool first_ = true, after_key_ = false, ok_ = true;
  const bool counts_ = false;
  const std::uint64_t max_ = 0;
};

/// The document that `write` makes, which is asked twice: a file can make it far longer than itself, and half of it would be none. Prints it, or
/// refuses with limit where it would have more than `max` bytes. False, after a message, when it is not printed.
bool write_json(std::uint64_t max, const std::string& file, const std::function<void(JsonWriter&)>& write);
/// That message. Returns false.
bool refuse_json(std::uint64_t max, const std::string& file);

}  // namespace tool
