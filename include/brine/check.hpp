// SPDX-License-Identifier: MIT
// Is a checkpoint whole, and which classes and functions does it ask for?
//
//   const auto checked = brine::check(*ckpt);                    // every byte was read, every CRC compared
//   if (!checked || checked->damaged > 0) return log("the file is damaged");
//   const auto asked = brine::globals(*ckpt);
//   for (const auto& use : asked->names)
//     if (!use.allowed) log("torch.load(weights_only=True) refuses " + std::string(use.name.name));
#pragma once

#include <brine/checkpoint.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace brine {

/// What reading everything showed. That sizes, places and names of records fit together was checked when the checkpoint was opened.
struct Checked {
  std::uint64_t records = 0;      ///< read: records of the archive; in a legacy stream the object's pickles and storages count as one
  std::uint64_t bytes = 0;        ///< in them
  std::uint64_t without_crc = 0;  ///< records that have no CRC to compare
  bool member_crc = false;        ///< of a LoadOptions::member: the CRC that the zip around it has of all its bytes was compared, too
  std::uint64_t damaged = 0;      ///< records (and such members) whose bytes are not what the CRC says, or cannot be had
  std::vector<Error> faults;      ///< of the damaged ones, the first 100
};

/// Reads every byte of the checkpoint once (of a stored LoadOptions::member once more, for the CRC around it), in pieces, and compares every CRC. A damaged record is no failure of this call: it is told.
/// `progress` is told how many of how many bytes were read. Fails with: limit (out of memory).
BRINE_API Result<Checked> check(const Checkpoint& checkpoint, const std::function<void(std::uint64_t done, std::uint64_t total)>& progress = {});

/// A class or function that the object's pickle names.
struct GlobalUse {
  GlobalName name;         ///< as Python 3 says it
  bool known = false;      ///< brine builds what it makes (tensors, OrderedDict …) or knows it as a dtype or storage; all else stays inert
  bool allowed = false;    ///< torch.load(weights_only=True) of PyTorch 2.13 allows it by default
  std::uint64_t uses = 0;  ///< how often it is named
};

struct GlobalList {
  std::vector<GlobalUse> names;       ///< in the order in which the pickle names them first
  std::shared_ptr<const void> texts;  ///< keeps the names' texts
};

/// Every class and function that the pickle names. Reads the pickle again. Fails as load() does.
BRINE_API Result<GlobalList> globals(const Checkpoint& checkpoint);

}  // namespace brine
