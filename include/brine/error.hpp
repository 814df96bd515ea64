// SPDX-License-Identifier: MIT
// Error: what went wrong, for programs (kind, code) and for people (place, one sentence).
//
// brine never prints, aborts or exits: every function that can fail returns a Result (result.hpp) that holds a value or an Error.
#pragma once

#include <brine/export.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace brine {

struct LoadReport;  // load_state_dict.hpp

/// The few classes of failure a program acts on.
enum class ErrorKind : std::uint8_t {
  io,                ///< the bytes could not be had: no such file, no permission, a read failed
  not_a_checkpoint,  ///< the file is something else; the message says what
  corrupt,           ///< the file is damaged, or two sane readers could read it differently
  unsupported,       ///< a known thing that brine, or this build of it, does not read
  forbidden,         ///< LoadOptions::weights_only refuses what the file asks for
  limit,             ///< a bound of Limits was met, or memory ran out
  usage,             ///< the call does not fit the data: wrong dtype, missing key, small buffer …
};

/// One code for each check.
enum class ErrorCode : std::uint16_t {
  // bytes
  open_failed, read_failed, write_failed, out_of_range,
  // what the file is
  empty_file, other_format,
  // archive: the ten rules of the zip directory
  zip_signature, zip_end_record, zip_zip64, zip_directory, zip_local_header, zip_overlap, zip_name, zip_duplicate_name, zip_method,
  zip_flags, zip_size, zip_crc, zip_inflate, zip_disabled,
  // pickle
  pickle_truncated, pickle_opcode, pickle_protocol, pickle_stack, pickle_mark, pickle_memo, pickle_text, pickle_utf8, pickle_frame,
  pickle_length, pickle_global, pickle_target, pickle_arguments, pickle_odd_items, pickle_leftover, pickle_trailing, pickle_extension,
  pickle_buffer,
  // the forms of PyTorch
  record_missing, format_version, byte_order, legacy_header, legacy_keys, storage_class, storage_key, storage_size, persistent_id,
  tensor_arguments, tensor_bounds, tensor_size,
  // weights_only
  global_not_allowed, opcode_not_allowed, build_not_allowed,
  // state dict
  no_state_dict, several_state_dicts, module_cycle, module_form,
  // load_state_dict
  key_mismatch, size_mismatch, not_a_tensor, copy_refused, unexpected_running_stats,
  // limits
  too_many_records, pickle_too_large, metadata_too_large, inflated_too_large, too_many_dimensions, device_too_long, copy_too_large, out_of_memory,
  // the caller's own requests
  missing_key, wrong_kind, is_none, index_out_of_range, does_not_fit, wrong_dtype, not_contiguous, not_aligned, foreign_byte_order,
  lazy_bits, buffer_size, no_data, bad_argument,
};

BRINE_API std::string_view name(ErrorKind kind) noexcept;
BRINE_API std::string_view name(ErrorCode code) noexcept;  ///< the enumerator's own name

/// Where it went wrong: whatever of it is known.
struct Place {
  std::string file;                     ///< path or name of the source
  std::string record;                   ///< record of the archive, "archive/data.pkl"
  std::optional<std::uint64_t> offset;  ///< byte within the record, or within the file when there is no record
  std::string opcode;                   ///< pickle opcode, "REDUCE"
  std::string path;                     ///< place in the object tree, "optimizer.state.0"
};

class BRINE_API Error {
 public:
  /// `text` is one sentence with expected and found; text that came from the file must have been escaped (support/text.hpp does).
  BRINE_COLD Error(ErrorKind kind, ErrorCode code, std::string text);
  Error(const Error&);
  Error(Error&&) noexcept;
  Error& operator=(const Error&);
  Error& operator=(Error&&) noexcept;
  ~Error();

  ErrorKind kind() const noexcept;
  ErrorCode code() const noexcept;
  const Place& place() const noexcept;
  const std::string& text() const noexcept;

  /// The place and the text in one line: "m.pth: archive/data.pkl, byte 812, REDUCE: …".
  std::string message() const;

  /// Fill in what is not yet known of the place; what is known stays (the first to know is the nearest).
  Error&& in_file(std::string_view file) &&;
  Error&& in_record(std::string_view record) &&;
  Error&& at_offset(std::uint64_t offset) &&;
  Error&& at_opcode(std::string_view opcode) &&;
  Error&& at_path(std::string_view path) &&;

  /// What load_state_dict had found when it failed, or null: of no other function.
  const LoadReport* report() const noexcept;
  Error&& with_report(std::shared_ptr<const LoadReport> report) &&;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace brine
