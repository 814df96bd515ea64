// SPDX-License-Identifier: MIT
// The emitter's items of lists, dicts and what is like them: batches of 1000, as CPython cuts them.
#include "pickle/emitter.hpp"

namespace brine {

bool Emitter::save_sequence(Frame& f, std::span<const Ref> items, bool exact) {
  const auto n = static_cast<std::uint32_t>(items.size());
  if (f.value) {  // a lone item has been written
    op(Op::APPEND);
    return stack_.pop_back(), true;
  }
  if (f.group == 0) {
    if (f.at == n) return stack_.pop_back(), true;
    if (exact ? n == 1 : n - f.at == 1) {
      f.value = true;
      return save(items[f.at]);
    }
    op(Op::MARK);
    f.group = 1;
  }
  if (f.at == n || f.group == kBatch + 1) {
    op(Op::APPENDS);
    f.group = 0;
    return true;
  }
  ++f.group;
  return save(items[f.at++]);
}

void Emitter::expect(std::size_t entries) {
  memo_.reserve(entries * 3);  // a key, a tensor and its storage
  leaves_.expect(entries);
  out_.expect(entries * 128);  // of a dict of small tensors, keys and all
}

// A lookup in a large memo waits for memory: of what comes in a while, it is asked for now.
void Emitter::prefetch(std::span<const Entry> entries, std::size_t at) const noexcept {
  constexpr std::size_t ahead = 8;
  if (entries.size() - at <= ahead) return;
  const auto& [key, value] = entries[at + ahead];
  memo_.prefetch(key.pointer);
  memo_.prefetch(value.pointer);
  if (value.kind == Kind::tensor) leaves_.prefetch(*this, value);
}

bool Emitter::save_entries(Frame& f, std::span<const Entry> entries, bool exact) {
  const auto n = static_cast<std::uint32_t>(entries.size());
  if (f.value) {  // the key has been written
    f.value = false;
    return save(entries[f.at++].value);
  }
  if (f.group == kBatch + 2) {  // a lone pair has been written
    op(Op::SETITEM);
    return stack_.pop_back(), true;
  }
  if (f.group == 0) {
    if (f.at == n && (!exact || n == 0 || n % kBatch != 0)) return stack_.pop_back(), true;
    if (exact ? n == 1 : n - f.at == 1) {
      f.group = kBatch + 2;
      f.value = true;
      return save(entries[f.at].key);
    }
    op(Op::MARK);
    f.group = 1;
  }
  if (f.at == n || f.group == kBatch + 1) {
    // CPython goes on until a batch is not full: an exact dict of 1000 ends with an empty one.
    const bool full = f.group == kBatch + 1;
    op(Op::SETITEMS);
    f.group = 0;
    if (!full) return stack_.pop_back(), true;
    return true;
  }
  ++f.group;
  f.value = true;
  prefetch(entries, f.at);
  return save(entries[f.at].key);
}

}  // namespace brine
