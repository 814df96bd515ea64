// SPDX-License-Identifier: MIT
// The names of error kinds and codes. The switches have no default: the compiler names an enumerator that is missing here.
#include <brine/error.hpp>

namespace brine {

std::string_view name(ErrorKind kind) noexcept {
#define X(enumerator) case ErrorKind::enumerator: return #enumerator;
  switch (kind) {
    X(io) X(not_a_checkpoint) X(corrupt) X(unsupported) X(forbidden) X(limit) X(usage)
  }
#undef X
  return "";
}

std::string_view name(ErrorCode code) noexcept {
#define X(enumerator) case ErrorCode::enumerator: return #enumerator;
  switch (code) {
    X(open_failed) X(read_failed) X(write_failed) X(out_of_range)
    X(empty_file) X(other_format) X(transferred_as_text) X(zip_signature) X(zip_end_record)
    X(zip_zip64) X(zip_directory) X(zip_local_header) X(zip_overlap) X(zip_name) X(zip_duplicate_name) X(zip_method) X(zip_flags)
    X(zip_size) X(zip_crc) X(zip_inflate) X(zip_disabled) X(pickle_truncated) X(pickle_opcode) X(pickle_protocol) X(pickle_stack)
    X(pickle_mark) X(pickle_memo) X(pickle_text) X(pickle_utf8) X(pickle_frame) X(pickle_length) X(pickle_global) X(pickle_target)
    X(pickle_arguments) X(pickle_odd_items) X(pickle_leftover) X(pickle_trailing) X(pickle_extension) X(pickle_buffer) X(record_missing)
    X(format_version) X(byte_order) X(legacy_header) X(legacy_keys) X(storage_class) X(storage_key) X(storage_size) X(persistent_id)
    X(tensor_arguments) X(tensor_bounds) X(tensor_size) X(sparse_indices) X(global_not_allowed) X(opcode_not_allowed) X(build_not_allowed)
    X(no_state_dict) X(several_state_dicts) X(module_cycle) X(module_form) X(key_mismatch) X(size_mismatch)
    X(not_a_tensor) X(copy_refused) X(unexpected_running_stats) X(too_many_records) X(pickle_too_large) X(metadata_too_large)
    X(inflated_too_large) X(too_many_dimensions) X(device_too_long) X(copy_too_large) X(out_of_memory) X(missing_key) X(wrong_kind) X(is_none)
    X(index_out_of_range) X(does_not_fit) X(wrong_dtype) X(not_contiguous) X(not_aligned) X(foreign_byte_order) X(lazy_bits)
    X(buffer_size) X(wrong_layout) X(no_data) X(bad_argument)
  }
#undef X
  return "";
}

}  // namespace brine
