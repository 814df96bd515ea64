// SPDX-License-Identifier: MIT
// Note: something odd in a file that is no error. Checkpoint::notes() and StateDict::notes() have them.
#pragma once

#include <brine/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace brine {

/// Something odd that is no error.
struct Note {
  enum class Code : std::uint8_t {
    duplicate_key,    ///< a dict key was given twice; the last value wins, as in Python
    crc_not_computed, ///< the archive was written without CRCs
    trailing_bytes,   ///< bytes after the end of a legacy stream
    another_object,   ///< another saved object follows in the stream (Checkpoint::end_offset)
    newer_opcode,     ///< an opcode newer than the protocol the pickle declares
    size_prefix,      ///< PyTorch 1.6 CUDA storages: an 8-byte count stood before the data
    state_dict_hook,  ///< of a whole model (StateDict::notes): a module has code that Python's state_dict() runs
    more_notes,       ///< and more, which were not kept
  };
  Code code;
  Place place;
  std::string text;
};

BRINE_API std::string_view name(Note::Code code) noexcept;

}  // namespace brine
