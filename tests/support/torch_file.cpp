// SPDX-License-Identifier: MIT
#include "support/torch_file.hpp"

#include <algorithm>

namespace brine::test {

std::string torch_zip(const Pickle& object, const std::vector<StorageData>& storages, const ZipShape& shape) {
  ZipBuilder zip;
  if (shape.deflate_pickle) zip.deflate(shape.root + "/data.pkl", object.bytes());
  else zip.torch(shape.root + "/data.pkl", object.bytes());
  if (!shape.byteorder.empty()) zip.torch(shape.root + "/byteorder", shape.byteorder);
  for (const StorageData& s : storages) {
    if (shape.deflate) zip.deflate(shape.root + "/data/" + s.key, s.data);
    else zip.torch(shape.root + "/data/" + s.key, s.data);
  }
  if (!shape.version.empty()) zip.torch(shape.root + "/version", shape.version);
  return zip.lay_out().bytes();
}

std::string legacy_header() {
  Pickle magic(2), version(2), info(2);
  magic.op(Op::LONG1, "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19");
  version.integer(1001);
  info.empty_dict().put(0).mark().str("protocol_version").put(1).integer(1001).str("little_endian").put(2).boolean(true).str("type_sizes")
      .put(3);
  info.empty_dict().put(4).mark().str("short").put(5).integer(2).str("int").put(6).integer(4).str("long").put(7).integer(4).op(Op::SETITEMS)
      .op(Op::SETITEMS);
  return magic.bytes() + version.bytes() + info.bytes();
}

std::string legacy_stream(const Pickle& object, const std::vector<StorageData>& storages) {
  Pickle keys(2);
  keys.empty_list().mark();
  for (const StorageData& s : storages) keys.str(s.key);
  std::string out = legacy_header() + object.bytes() + keys.op(Op::APPENDS).bytes();
  for (const StorageData& s : storages) {
    const std::uint64_t count = s.count >= 0 ? static_cast<std::uint64_t>(s.count) : s.data.size() / 4;
    for (int i = 0; i < 8; ++i) out += static_cast<char>(count >> (8 * i) & 0xFF);
    out += s.data;
  }
  return out;
}

}  // namespace brine::test
