// SPDX-License-Identifier: MIT
#include "torch/document.hpp"

#include "pickle/machine.hpp"

namespace brine {

Document::Document(PickleAt from, const Limits& with, const PersistentIds& resolver)
    : pickle(std::move(from)),
      limits(with),
      ids(resolver),
      budget(limits.metadata_base + limits.metadata_factor * pickle.counted(limits), ErrorCode::metadata_too_large, "Limits::metadata_factor"),
      storages(budget),
      calls(storages, limits, ids),
      graph(budget) {
  graph.text_bytes = text_bytes(pickle.counted(limits), limits.text_factor);
}

Result<void> Document::run(const Policy* policy) {
  const auto done = Machine(graph, calls, policy, notes, pickle.bytes.span, budget).run();
  for (Note& note : notes.list()) note.place.record = pickle.record;
  if (!done) return Error(done.error()).in_record(pickle.record);
  if (const std::size_t rest = pickle.bytes.span.size() - done->size; rest != 0)
    return Error(ErrorKind::corrupt, ErrorCode::pickle_trailing, std::to_string(rest) + (rest == 1 ? " byte follows" : " bytes follow") + " the end of the pickle")
        .at_offset(done->size)
        .in_record(pickle.record);
  root = done->value;
  protocol = done->protocol;
  return {};
}

}  // namespace brine
