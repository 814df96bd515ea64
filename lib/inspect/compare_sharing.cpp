// SPDX-License-Identifier: MIT
#include "inspect/compare_sharing.hpp"

#include "support/text.hpp"

namespace brine {

Partners::Meeting Sharing::Objects::meet(const void* a, const void* b, const Place& here) {
  const Partners::Meeting meeting = partners.meet(a, b);
  if (seen.size() < partners.size()) seen.push_back({here()});
  return meeting;
}

std::string Sharing::Objects::told(const char* what, const Partners::Meeting& m) const {
  if (!m.otherwise()) return {};
  const auto in = [&](std::uint32_t number, const char* side) { return concat({seen[number].place, " in ", side}); };
  return what + (!m.known_b ? in(m.a, "A only") : !m.known_a ? in(m.b, "B only") : concat({in(m.a, "A"), ", with ", in(m.b, "B")}));
}

std::string Sharing::of_storages(const StorageRecord* a, const StorageRecord* b, const Place& here) {
  if (!a || !b) return {};
  return storages_.told("shares its storage with ", storages_.meet(a, b, here));
}

std::string Sharing::of_storages(const TensorRecord& a, const TensorRecord& b, const Place& here) {
  const Strided *at_a = a.as_strided(), *at_b = b.as_strided();
  if (!at_a || !at_b || !at_a->storage || !at_b->storage || a.numel() == 0 || b.numel() == 0) return {};  // what has no elements shares none
  const Partners::Meeting m = storages_.meet(at_a->storage, at_b->storage, here);
  if (m.otherwise()) return storages_.told("shares its storage with ", m);
  // Where the first two begin is their own matter; what shares with them must lie as far from them in both.
  Seen& first = storages_.seen[m.a];
  if (!first.a) first.a = &a, first.b = &b;
  const auto start = [](const TensorRecord& t) { return t.as_strided()->offset * static_cast<std::int64_t>(item_size(t.dtype)); };
  if (a.dtype == b.dtype && first.a->dtype == first.b->dtype && start(a) - start(*first.a) != start(b) - start(*first.b))
    return concat({"lies elsewhere in the storage that it shares with ", first.place});
  return {};
}

std::string Sharing::of_tensors(const TensorRecord& a, const TensorRecord& b, const Place& here) {
  const Partners::Meeting m = tensors_.meet(&a, &b, here);
  return storages_.partners.are(strided_or_none(a).storage, strided_or_none(b).storage) ? tensors_.told("is one tensor with ", m) : std::string();
}

}  // namespace brine
