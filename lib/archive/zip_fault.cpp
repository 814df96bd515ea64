// SPDX-License-Identifier: MIT
#include "archive/zip_fault.hpp"

#include "support/text.hpp"

#include <utility>

namespace brine {

Error zip_fault(ErrorCode code, std::uint64_t offset, std::string text) {
  return Error(ErrorKind::corrupt, code, std::move(text)).at_offset(offset);
}

Error zip_fault(ErrorCode code, std::uint64_t offset, std::string_view record, std::string_view text) {
  return zip_fault(code, offset, in_quotes(record).append(": ").append(text));
}

Error zip_mismatch(ErrorCode code, std::uint64_t offset, std::string_view record, std::string_view field, std::uint64_t found,
                   std::string_view other, std::uint64_t expected) {
  std::string text;
  if (!record.empty()) text.append(in_quotes(record)).append(": ");
  text.append(field).append(" is ").append(std::to_string(found)).append(", ");
  text.append(other).append(" ").append(std::to_string(expected));
  return zip_fault(code, offset, std::move(text));
}

}  // namespace brine
