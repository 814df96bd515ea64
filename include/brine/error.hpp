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
#include <utility>

namespace brine {

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

/// One code for each check. Kinds differ with the case; the usual one is said where a group begins.
enum class ErrorCode : std::uint16_t {
  // bytes: io
  open_failed,    ///< the file or folder could not be opened or asked about
  read_failed,    ///< fewer bytes than there should be, or the system's read failed
  write_failed,   ///< writing, renaming or forcing to the disk failed, or was cancelled; the old file is as it was
  out_of_range,   ///< an offset or a range lies outside of what there is
  // what the file is: not_a_checkpoint, or unsupported
  empty_file,     ///< no bytes at all
  other_format,   ///< something else, which the message names, or a form of PyTorch's that brine does not read
  transferred_as_text,  ///< corrupt: line ends were converted, or bytes decoded and encoded, on the way
  // archive, the ten rules of the zip directory: corrupt
  zip_signature,       ///< a record or the file begins with other bytes than a zip's
  zip_end_record,      ///< the end record is missing, is not at the end, or contradicts itself
  zip_zip64,           ///< a zip64 block is missing, double, too short, or says other than the plain field
  zip_directory,       ///< the directory is empty, is not where the end record says, or has other entries
  zip_local_header,    ///< a local header says other than the directory
  zip_overlap,         ///< records overlap, or bytes between them belong to none
  zip_name,            ///< a name that leaves its folder, has no UTF-8 or a control character, or lies outside the archive's one folder
  zip_duplicate_name,  ///< two records of one name, which two readers would read differently
  zip_method,          ///< a compression other than stored and deflated, or one where it may not be
  zip_flags,           ///< encrypted, patched or otherwise flagged records
  zip_size,            ///< packed and unpacked sizes that contradict each other or the data
  zip_crc,             ///< the data have another CRC-32 than the directory says
  zip_inflate,         ///< deflated data that end early, late, or are damaged
  zip_disabled,        ///< unsupported: a compressed record, in a build without libzip
  // pickle: corrupt
  pickle_truncated,  ///< the pickle ends inside an opcode's argument, or without STOP
  pickle_opcode,     ///< a byte that is no opcode
  pickle_protocol,   ///< a protocol above 5, or declared where none may be
  pickle_stack,      ///< an opcode wants more values than lie above the last mark
  pickle_mark,       ///< an opcode wants a mark and there is none
  pickle_memo,       ///< a memo number that was never put, or that no pickler of this length counts to
  pickle_text,       ///< a number or text that is not written as its opcode has it
  pickle_utf8,       ///< a text that is not UTF-8
  pickle_frame,      ///< a frame that is too long, in another one, or ends inside an opcode
  pickle_length,     ///< a negative length
  pickle_global,     ///< the names of a class or function that are no names
  pickle_target,     ///< items or a state for what takes none; unsupported: for what a call has read before, so that it would be written otherwise than read
  pickle_arguments,  ///< a call whose arguments are no tuple, or an object of what is no class
  pickle_odd_items,  ///< a key without a value
  pickle_leftover,   ///< STOP with more than one value on the stack
  pickle_trailing,   ///< bytes behind STOP where the pickle should fill its record
  pickle_extension,  ///< unsupported: EXT1 to EXT4, which only the writer's Python knows
  pickle_buffer,     ///< unsupported: NEXT_BUFFER, whose bytes are not in the file
  // the forms of PyTorch: corrupt
  record_missing,    ///< a record, or the bytes of a storage, that the file should have
  format_version,    ///< the record version or .format_version is no number; unsupported: of a later PyTorch
  byte_order,        ///< the record byteorder says neither little nor big
  legacy_header,     ///< the first pickles of a legacy stream are not what PyTorch writes
  legacy_keys,       ///< the list of storages names others than the object uses
  storage_class,     ///< unsupported: a storage of a class that is none of PyTorch's
  storage_key,       ///< a storage named by what can be no record's name, or as another one's view is
  storage_size,      ///< a storage whose size is negative, overflows, or differs from its record's
  persistent_id,     ///< a storage's persistent id of other parts than PyTorch writes
  tensor_arguments,  ///< a tensor or array made with arguments, or given attributes, that PyTorch or numpy refuses
  tensor_bounds,     ///< shape, stride and offset reach outside of the storage
  tensor_size,       ///< a shape whose product overflows
  sparse_indices,    ///< indices of a sparse tensor that are out of order, or outside of its shape
  // weights_only: forbidden, in PyTorch's words
  global_not_allowed,  ///< a class or function outside PyTorch's list
  opcode_not_allowed,  ///< an opcode that PyTorch's weights_only unpickler lacks
  build_not_allowed,   ///< a call, state, item or persistent id that it does not let pass
  // state dict: usage
  no_state_dict,        ///< there are no weights here; the message says what there is, and what to do
  several_state_dicts,  ///< more than one; the message lists them, and how to choose
  module_cycle,         ///< corrupt: a module that contains itself
  module_form,          ///< unsupported: a module that keeps its tensors in another way than torch.nn.Module
  // load_state_dict: usage, in PyTorch's words
  key_mismatch,              ///< missing or unexpected keys, and strict
  size_mismatch,             ///< a parameter of another shape
  not_a_tensor,              ///< the value under a parameter's name is no tensor
  copy_refused,              ///< PyTorch's copy_ would raise
  unexpected_running_stats,  ///< statistics for a norm that tracks none
  // limits: limit, with the field of Limits to raise
  too_many_records,     ///< Limits::records
  pickle_too_large,     ///< Limits::pickle_bytes, or a text of 4 GiB
  metadata_too_large,   ///< Limits::metadata_factor and metadata_base: what a file asks for beside its tensors' bytes
  inflated_too_large,   ///< Limits::inflated_bytes: what deflated records grow to
  too_many_dimensions,  ///< Limits::dimensions; numpy's own bound for arrays
  device_too_long,      ///< Limits::device_bytes
  copy_too_large,       ///< Limits::copy_bytes: elements that are copied, not viewed
  out_of_memory,        ///< the allocator had no more
  // the caller's own requests: usage
  missing_key,         ///< no such name, key, attribute or place
  wrong_kind,          ///< the value is of another kind than the one asked for
  is_none,             ///< the value is None
  index_out_of_range,  ///< no item of this number
  does_not_fit,        ///< an int outside of the C++ type
  wrong_dtype,         ///< elements of another dtype than the one asked for, or none that PyTorch or numpy has
  not_contiguous,      ///< a span over what is not packed row-major: copy_to() copies it
  not_aligned,         ///< a typed span over elements that lie unaligned, or bools that are neither 0 nor 1
  foreign_byte_order,  ///< bytes of the other byte order: copy_to() swaps them; unsupported: two dtypes share them, and swap otherwise
  lazy_bits,           ///< conj or neg not resolved yet: copy_to() does
  buffer_size,         ///< room for another number of elements than there are
  wrong_layout,        ///< a tensor of another kind (sparse, quantised, nested, strided) than the one asked for
  no_data,             ///< a tensor without a storage
  bad_argument,        ///< an argument that the function cannot take; the message says which, and what it takes
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

  /// What the function that failed had found, where it says that its errors carry it: error.found<LoadReport>() of load_state_dict. Else null.
  template <class T>
  const T* found() const noexcept { return static_cast<const T*>(found(T::kFound)); }
  template <class T>
  Error&& with(std::shared_ptr<const T> what) && { return std::move(*this).with(T::kFound, std::move(what)); }

 private:
  const void* found(std::string_view what) const noexcept;
  Error&& with(std::string_view name, std::shared_ptr<const void> what) &&;
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace brine
