// SPDX-License-Identifier: MIT
// Which children of a container can be edited, and where each is written.
#include "state/edits.hpp"

#include "graph/walk.hpp"
#include "torch/torch_calls.hpp"

#include <algorithm>
#include <array>

namespace brine {

namespace {

Result<EditPlace> refusal(std::string text, std::string_view path) {
  Error error(ErrorKind::usage, ErrorCode::bad_argument, "expected a place that can be edited, found " + std::move(text));
  return path.empty() ? std::move(error) : Error(std::move(error).at_path(std::string(path)));
}

/// The dicts whose items Children names as attributes: a dict, or two dicts or Nones; else nothing.
std::array<Ref, 2> halves_of(const Ref& state) noexcept {
  const auto dict_or_none = [](const Ref& r) { return r.kind == Kind::dict || r.kind == Kind::none; };
  if (state.kind == Kind::dict) return {state, {}};
  if (state.kind != Kind::tuple || tuple_of(state).size != 2) return {};
  const auto items = tuple_of(state).items();
  return dict_or_none(items[0]) && dict_or_none(items[1]) ? std::array{items[0], items[1]} : std::array<Ref, 2>{};
}

/// Named "state" as one: neither of these.
bool is_whole(const Ref& state) noexcept { return state.kind != Kind::absent && state.kind != Kind::none && halves_of(state)[0].kind == Kind::absent; }

/// The states that made a tensor, in the order of what it keeps of them: that may be copies, without PyTorch's own attributes.
std::vector<Ref> states_of(const Ref& tensor) {
  const Origin& inner = *(tensor.kind == Kind::tensor ? tensor_node_of(tensor).origin : tensor.node->origin);
  const Origin& origin = inner.outer ? *inner.outer : inner;
  const auto is = [](const Ref& callee, TorchCall call) { return callee.kind == Kind::global && callee.node->known == static_cast<std::uint16_t>(call); };
  std::vector<Ref> out;
  Ref callee = origin.callee, args = origin.args;
  while (is(callee, TorchCall::rebuild_from_type) && args.kind == Kind::tuple && tuple_of(args).size == 4) {
    const auto a = tuple_of(args).items();
    out.push_back(a[3]);
    callee = a[0], args = a[2];
  }
  if (is(callee, TorchCall::rebuild_parameter_with_state) && args.kind == Kind::tuple && tuple_of(args).size == 4) out.push_back(tuple_of(args).items()[3]);
  std::erase_if(out, [](const Ref& state) { return state.kind == Kind::none; });
  std::size_t kept = 0;
  for (const Effect* e = kept_of(tensor); e; e = e->next) ++kept;
  out.resize(std::min(kept, out.size()));  // the innermost is an argument like others where its call is not known
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

Result<EditPlace> editable(const Graph& graph, const WayStep& step, std::string_view path) {
  const Ref& c = step.container;
  std::uint32_t n = step.number;
  const auto in = [&](const Ref& container, Slot::Part part = Slot::items) { return EditPlace{container, Slot{part, n}}; };
  // True: the child is one of these; else it comes so many later.
  const auto among = [&](std::size_t size) { return n < size || (n -= static_cast<std::uint32_t>(size), false); };
  if (is_array(c)) return refusal("an item of a numpy array, whose size is fixed", path);
  switch (c.kind) {
    case Kind::list: case Kind::set: case Kind::frozenset: return in(c);
    case Kind::tuple:
      if (c.node->made != Made::plain || c.node->origin) return refusal("an item of a " + class_name(c), path);
      return in(c);
    case Kind::dict:
      if (among(c.node->size)) return in(c);
      break;
    case Kind::object: {
      const Origin& o = *c.node->origin;
      const std::size_t given = (o.args.kind == Kind::tuple && o.how != How::persistent ? tuple_of(o.args).size : 0) + (o.kwargs.kind == Kind::dict ? o.kwargs.node->size : 0);
      if (among(given)) return refusal("what a " + class_name(c) + " was made with", path);
      if (object_of(c).list && among(object_of(c).list->size)) return in(c, Slot::list);
      if (object_of(c).dict && among(object_of(c).dict->size)) return in(c, Slot::dict);
      break;
    }
    default: break;
  }
  if (c.kind != Kind::tensor) {
    const Ref state = state_of(*c.node);
    const auto halves = halves_of(state);
    for (const Ref& half : halves) {
      if (half.kind != Kind::dict || !among(half.node->size)) continue;
      EditPlace at = in(half);
      at.owner = c;
      return at;
    }
    if (c.kind == Kind::object && is_whole(state) && among(1)) return refusal("the state of a " + class_name(c), path);
  }
  if (const Effect* kept = kept_of(c)) {
    for (const Ref& state : states_of(c)) {
      const auto halves = halves_of(kept->state), written = halves_of(state);
      if (is_whole(kept->state) && among(1)) break;
      for (std::size_t h = 0; h < 2; ++h) {
        if (halves[h].kind != Kind::dict || !among(halves[h].node->size)) continue;
        const Ref& key = dict_of(halves[h]).entries()[n].key;
        const Entry* at = written[h].kind == Kind::dict ? graph.find(dict_of(written[h]), key) : nullptr;
        if (!at) break;
        return EditPlace{written[h], {Slot::items, static_cast<std::uint32_t>(at - dict_of(written[h]).data)}, c};
      }
      kept = kept->next;
    }
  }
  return refusal("the state of a " + class_name(c), path);
}

}  // namespace brine
