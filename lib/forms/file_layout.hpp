// SPDX-License-Identifier: MIT
// FileLayout: what only the form knows of how a file was written, beside SaveOptions' own; of a new file the default.
#pragma once

#include <string>
#include <vector>

namespace brine {

struct FileLayout {
  std::vector<std::string> records = {};  ///< in order, below the root; none: as the profile has them
  std::vector<bool> record_crcs = {};     ///< of each, whether it had a CRC; counts where SaveOptions::crc is true
  std::string version = "3\n";            ///< the record's text
  std::string id_half = {};               ///< of .data/serialization_id: the writer's C++ library's
  bool keep_keys = false;                 ///< storages are named as they were
  bool keep_calls = false;                ///< tensors are made by the calls that made them
  bool big_endian = false;                ///< counts where there are records
};

}  // namespace brine
