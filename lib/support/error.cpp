// SPDX-License-Identifier: MIT
// Error: one pointer to what is known. An Error whose own memory could not be had (or that was moved from) holds no data and reads as
// "out of memory", so that reporting the lack of memory needs none.
#include <brine/error.hpp>

#include "support/text.hpp"

#include <new>
#include <utility>

namespace brine {

struct Error::Data {
  ErrorKind kind;
  ErrorCode code;
  Place place;
  std::string text;
  std::string_view found_name;  // of a type, which has static storage
  std::shared_ptr<const void> found;
};

namespace {

/// Texts may have lines, as PyTorch's do; a message has one.
std::string joined_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c != '\n' && c != '\t' && c != '\r') out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

}  // namespace

Error::Error(ErrorKind kind, ErrorCode code, std::string text) : data_(new (std::nothrow) Data{kind, code, {}, std::move(text), {}, {}}) {}
Error::Error(const Error& other) : data_(other.data_ ? std::make_unique<Data>(*other.data_) : nullptr) {}
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error& other) {
  if (this != &other) *this = Error(other);
  return *this;
}
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

ErrorKind Error::kind() const noexcept { return data_ ? data_->kind : ErrorKind::limit; }
ErrorCode Error::code() const noexcept { return data_ ? data_->code : ErrorCode::out_of_memory; }

const Place& Error::place() const noexcept {
  static const Place nowhere;
  return data_ ? data_->place : nowhere;
}

const std::string& Error::text() const noexcept {
  static const std::string no_memory = "out of memory";  // fits into the string itself
  return data_ ? data_->text : no_memory;
}

std::string Error::message() const {
  const Place& at = place();
  std::string where;
  const auto add = [&where](std::string_view word, std::string_view thing) {
    if (!where.empty()) where += ", ";
    where += word;
    where += thing;
  };
  if (!at.record.empty()) add("", printable(at.record, 300));
  if (at.offset) add("byte ", std::to_string(*at.offset));
  if (!at.opcode.empty()) add("", printable(at.opcode, 300));
  if (!at.path.empty()) add("at ", printable(at.path, 300));

  std::string out;
  for (const std::string& part : {printable(at.file), where}) {
    if (!part.empty()) (out += part) += ": ";
  }
  return out += printable(joined_lines(text()));
}

Error&& Error::in_file(std::string_view file) && {
  if (data_ && data_->place.file.empty()) data_->place.file = file;
  return std::move(*this);
}

Error&& Error::in_record(std::string_view record) && {
  if (data_ && data_->place.record.empty()) data_->place.record = record;
  return std::move(*this);
}

Error&& Error::at_offset(std::uint64_t offset) && {
  if (data_ && !data_->place.offset) data_->place.offset = offset;
  return std::move(*this);
}

Error&& Error::at_opcode(std::string_view opcode) && {
  if (data_ && data_->place.opcode.empty()) data_->place.opcode = opcode;
  return std::move(*this);
}

Error&& Error::at_path(std::string_view path) && {
  if (data_ && data_->place.path.empty()) data_->place.path = path;
  return std::move(*this);
}

const void* Error::found(std::string_view what) const noexcept { return data_ && data_->found_name == what ? data_->found.get() : nullptr; }

Error&& Error::with(std::string_view name, std::shared_ptr<const void> what) && {
  if (data_) data_->found_name = name, data_->found = std::move(what);
  return std::move(*this);
}

}  // namespace brine
