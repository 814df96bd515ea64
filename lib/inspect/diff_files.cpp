// SPDX-License-Identifier: MIT
// What two files hold beside the object that is read: records of an archive that nothing refers to, its comment, what follows in a stream.
#include "inspect/diff.hpp"

#include "bytes/bytes.hpp"
#include "forms/form.hpp"
#include "forms/part.hpp"
#include "inspect/compare_text.hpp"
#include "support/hash_index.hpp"
#include "support/text.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace brine {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;  // bytes
using Kind = Difference::Kind;

class FileComparer {
 public:
  FileComparer(const DiffOptions& options, Comparison& out) : options_(options), out_(out) {}

  Result<void> compare_parts(const Form& a, const Form& b) {
    const std::vector<Extra> parts_a = a.extras(), parts_b = b.extras();
    std::unordered_map<std::string_view, const Extra*, KeyedHash> by_name;
    for (const Extra& part : parts_b) by_name.emplace(part.name, &part);
    for (const Extra& part : parts_a) {
      const auto other = by_name.find(part.name);
      if (other == by_name.end()) {
        differ(Kind::only_in_a, name(part), bytes_text(part.size));
        continue;
      }
      const Extra& same = *other->second;
      by_name.erase(other);
      const auto read_a = [&](std::uint64_t at, std::span<std::byte> out) { return a.read_extra(part, at, out); };
      const auto read_b = [&](std::uint64_t at, std::span<std::byte> out) { return b.read_extra(same, at, out); };
      BRINE_TRY(compare_bytes(name(part), part.size, same.size, read_a, read_b));
    }
    for (const Extra& part : parts_b)
      if (by_name.contains(part.name)) differ(Kind::only_in_b, name(part), bytes_text(part.size));
    return {};
  }

  // Objects as long as both files have some, then bytes.
  Result<void> compare_following(Checkpoint a, Checkpoint b) {
    const Source all_a = CheckpointAccess::part(a).source, all_b = CheckpointAccess::part(b).source;
    const std::uint64_t base_a = CheckpointAccess::part(a).offset.value_or(0), base_b = CheckpointAccess::part(b).offset.value_or(0);
    std::uint64_t at_a = CheckpointAccess::opened(a).end, at_b = CheckpointAccess::opened(b).end;
    for (std::size_t number = 2; at_a < all_a.size() || at_b < all_b.size(); ++number) {
      const std::string place = "(object " + std::to_string(number) + ")";
      const auto rest_a = all_a.part(at_a, all_a.size() - at_a), rest_b = all_b.part(at_b, all_b.size() - at_b);
      if (!rest_a) return rest_a.error();
      if (!rest_b) return rest_b.error();
      const auto following = [](const Source& rest, std::uint64_t at) { return bytes_text(rest.size()) + " from byte " + std::to_string(at) + " on"; };
      if (rest_b->size() == 0) return differ(Kind::only_in_a, place, following(*rest_a, base_a + at_a)), Result<void>();
      if (rest_a->size() == 0) return differ(Kind::only_in_b, place, following(*rest_b, base_b + at_b)), Result<void>();
      auto next_a = next(*rest_a, a), next_b = next(*rest_b, b);
      if (!next_a || !next_b) {
        const auto read_a = [&](std::uint64_t at, std::span<std::byte> out) { return rest_a->read_at(at, out); };
        const auto read_b = [&](std::uint64_t at, std::span<std::byte> out) { return rest_b->read_at(at, out); };
        return compare_bytes("(what follows at byte " + std::to_string(base_a + at_a) + ")", rest_a->size(), rest_b->size(), read_a, read_b);
      }
      BRINE_TRY(compare_objects(*next_a, *next_b, place));
      at_a += CheckpointAccess::opened(*next_a).end;
      at_b += CheckpointAccess::opened(*next_b).end;
      a = std::move(*next_a), b = std::move(*next_b);
    }
    return {};
  }

 private:
  static std::string name(const Extra& part) { return part.name.empty() ? "(the comment of the archive)" : "(record " + std::string(part.name) + ")"; }
  static std::string bytes_text(std::uint64_t n) { return std::to_string(n) + (n == 1 ? " byte" : " bytes"); }

  static Result<Checkpoint> next(const Source& rest, const Checkpoint& before) {
    LoadOptions options = CheckpointAccess::options(before);
    options.offset = 0;
    options.length.reset();
    options.member.clear();
    return load(rest, options);
  }

  Result<void> compare_objects(const Checkpoint& a, const Checkpoint& b, std::string_view place) {
    const Value root_a = a.root(), root_b = b.root();
    TensorComparer tensors(options_);
    Sharing sharing;
    Comparer comparer(*Access::graph(root_a), *Access::graph(root_b), tensors, sharing, options_);
    BRINE_TRY(comparer.compare(Access::ref(root_a), Access::ref(root_b), place));
    Comparison& found = comparer.result();
    for (Difference& d : found.differences)
      if (out_.differences.size() < options_.max) out_.differences.push_back(std::move(d));
    out_.differing += found.differing;
    out_.not_compared += found.not_compared;
    out_.compared += found.compared;
    out_.same_order = out_.same_order && found.same_order;
    return compare_parts(*CheckpointAccess::opened(a).form, *CheckpointAccess::opened(b).form);
  }

  template <class ReadA, class ReadB>
  Result<void> compare_bytes(const std::string& place, std::uint64_t size_a, std::uint64_t size_b, ReadA&& read_a, ReadB&& read_b) {
    ++out_.compared;
    if (size_a != size_b) return differ(Kind::value, place, bytes_text(size_a) + " -> " + bytes_text(size_b)), Result<void>();
    std::vector<std::byte> left(static_cast<std::size_t>(std::min(kPiece, size_a))), right(left.size());
    for (std::uint64_t at = 0; at < size_a; at += kPiece) {
      const auto n = static_cast<std::size_t>(std::min(kPiece, size_a - at));
      const auto x = std::span(left).first(n), y = std::span(right).first(n);
      if (auto ok = read_a(at, x); !ok) return std::move(ok).error().at_path(place);
      if (auto ok = read_b(at, y); !ok) return std::move(ok).error().at_path(place);
      const auto apart = std::mismatch(x.begin(), x.end(), y.begin()).first - x.begin();
      if (static_cast<std::size_t>(apart) < n)
        return differ(Kind::value, place, "other from byte " + std::to_string(at + static_cast<std::uint64_t>(apart)) + " on"), Result<void>();
    }
    return {};
  }

  void differ(Kind kind, const std::string& place, std::string text) {
    if (out_.differing++ < options_.max) out_.differences.push_back({kind, printable(place, 4000), std::move(text)});
  }

  const DiffOptions& options_;
  Comparison& out_;
};

}  // namespace

Result<void> compare_files(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options, Comparison& out) {
  FileComparer files(options, out);
  auto done = files.compare_parts(*CheckpointAccess::opened(a).form, *CheckpointAccess::opened(b).form);
  return done ? files.compare_following(a, b) : done;
}

}  // namespace brine
