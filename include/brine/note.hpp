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
    part_of_file,     ///< StateDict::notes: the file holds more tensors or numpy arrays outside this state dict
    placeholders,     ///< likewise: most tensors have the shape [0], as in files of DeepSpeed's ZeRO stage 3, whose weights are elsewhere
    no_weights,       ///< likewise: what was found is no model's weights, but a random generator's state, or a dataset
    nothing_kept,     ///< likewise: a module of a class of the user's with neither parameters nor buffers
    more_notes,       ///< and more, which were not kept
  };
  Code code;
  Place place;
  std::string text;
};

BRINE_API std::string_view name(Note::Code code) noexcept;

}  // namespace brine
