// SPDX-License-Identifier: MIT
// A form: one way PyTorch has written checkpoints. It says where the pickle starts; once that has run, where the storages it named are.
// This order is forced: a legacy stream has no lengths, its data is found only after its pickle. Nothing right of the forms knows which it was.
#pragma once

#include <brine/save.hpp>

#include "bytes/bytes.hpp"
#include "support/notes.hpp"
#include "torch/storage_file.hpp"
#include "torch/storages.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

/// Something of a file that is no part of the object: a record that nothing refers to, an archive's comment.
struct Extra {
  std::string_view name;     ///< of a record; empty for the comment
  std::uint64_t size;        ///< bytes
  const void* record;        ///< the form's own
};

/// A pickle of the file, for messages and disassembly.
struct PickleAt {
  std::string record;  ///< "archive/data.pkl"; in a stream "object pickle at byte 137"
  Bytes bytes;         ///< exactly up to STOP in a stream; the whole record in an archive
  std::uint64_t packed = UINT64_MAX;  ///< of a deflated record

  /// Its bytes as limits count them, see Limits::pickle_ratio.
  std::uint64_t counted(const Limits& limits) const noexcept {
    const std::uint64_t base = limits.metadata_base / 8, size = bytes.span.size();
    return size <= base || size - base <= packed ? size : packed + base;
  }
};

class Form {
 public:
  virtual ~Form() = default;
  virtual Format format() const noexcept = 0;

  /// The object's pickle.
  virtual const PickleAt& pickle() const noexcept = 0;

  /// Where the storages are: fills in offset, data, reader. Fails with: corrupt, io, limit.
  virtual Result<void> locate(Storages& storages, Notes& notes) = 0;

  /// Where this object ends in the source. Requires: locate() was called.
  virtual std::uint64_t end() const noexcept = 0;

  /// Reads every byte of the object. `each` is called for every record (of a stream: for the whole), `read` as the work goes on.
  using Verdict = std::function<void(std::uint64_t size, bool has_crc, Result<void> verdict)>;
  virtual void verify(const Verdict& each, const std::function<void(std::uint64_t bytes)>& read) const = 0;

  /// What the file holds beside the object, but for how it was written. Requires: locate() was called.
  virtual std::vector<Extra> extras() const { return {}; }
  /// Fills `out` with a part's bytes from `offset` on. Fails with: io, corrupt, limit.
  virtual Result<void> read_extra(const Extra&, std::uint64_t, std::span<std::byte>) const { return {}; }

  /// What a file saved as_read() must keep of this one.
  virtual void describe(SaveOptions& options) const = 0;

  /// The names a disassembly shows, with what else is pickled in the file, in its order.
  virtual Result<std::vector<PickleAt>> all_pickles() const = 0;
};

/// Opens the part's source in the form it has. Fails with: not_a_checkpoint and unsupported (named), corrupt, io, limit.
Result<std::unique_ptr<Form>> open_form(const Opening& opening);

Result<std::unique_ptr<Form>> open_zip_form(const Opening& opening);
Result<std::unique_ptr<Form>> open_legacy_form(const Opening& opening);

}  // namespace brine
