// SPDX-License-Identifier: MIT
// A form: one way PyTorch has written checkpoints. It opens a source in its own order, and gives the same as all others. No form knows another, and
// nothing right of them knows which it was.
#pragma once

#include <brine/save_options.hpp>

#include "archive/archive.hpp"
#include "forms/part.hpp"
#include "torch/document.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace brine {

/// What every form is opened with. All are borrowed; part, limits and inflated as long as what was opened lives.
struct Opening {
  const Part& part;
  const Limits& limits;
  Budget& inflated;
  const Policy* policy = nullptr;
};

/// Something of a file that is no part of the object: a record that nothing refers to, an archive's comment.
struct Extra {
  std::string_view name;     ///< of a record; empty for the comment
  std::uint64_t size;        ///< bytes
  const void* record;        ///< the form's own
};

/// What only its form knows of an opened file: its bytes, and how it was written.
class Form {
 public:
  virtual ~Form() = default;

  /// Reads every byte of the object. `each` is called for every record (of a stream: for the whole), `read` as the work goes on.
  using Verdict = std::function<void(std::uint64_t size, bool has_crc, Result<void> verdict)>;
  virtual void verify(const Verdict& each, const std::function<void(std::uint64_t bytes)>& read) const = 0;

  /// What the file holds beside the object, but for how it was written.
  virtual std::vector<Extra> extras() const { return {}; }
  /// Fills `out` with a part's bytes from `offset` on. Fails with: io, corrupt, limit.
  virtual Result<void> read_extra(const Extra&, std::uint64_t, std::span<std::byte>) const { return {}; }

  /// What a file saved as_read() must keep of this one.
  virtual void describe(SaveOptions& options, FileLayout& layout) const = 0;
};

/// What opening a file makes, whatever its form.
struct Opened {
  Format format;
  std::uint64_t end;                                 ///< of the object in the source
  std::unique_ptr<const Form> form;                  ///< the storages' bytes come from it
  std::vector<std::unique_ptr<Document>> documents;  ///< the first one's root is the object
  Notes notes = {};

  Document& object() const noexcept { return *documents.front(); }
};

/// Opens the part's source in the form it has. Fails with: not_a_checkpoint and unsupported (named), corrupt, forbidden (policy), io, limit.
Result<Opened> open_form(const Opening& opening);
/// Only finds the pickles in it, in the file's order.
Result<std::vector<PickleAt>> find_pickles(const Opening& opening);

// Each form's own. Requires of a zip: it was opened with ZipFolders::any, and is no other_zip().
Result<Opened> open_zip(Archive archive, const Opening& opening);
Result<std::vector<PickleAt>> find_zip_pickles(Archive archive, const Opening& opening);
Result<Opened> open_legacy(const Opening& opening);
Result<std::vector<PickleAt>> find_legacy_pickles(const Opening& opening);

/// The way from a Checkpoint to what is behind it: lib/checkpoint.cpp.
struct CheckpointAccess {
  static const Opened& opened(const Checkpoint& checkpoint) noexcept;
  static const Limits& limits(const Checkpoint& checkpoint) noexcept;
  /// What the object was read from, from its first byte on, and how.
  static const Part& part(const Checkpoint& checkpoint) noexcept;
  static const LoadOptions& options(const Checkpoint& checkpoint) noexcept;
};

}  // namespace brine
