// SPDX-License-Identifier: MIT
#include "state/notes.hpp"

#include "graph/walk.hpp"
#include "support/text.hpp"
#include "tensor/record.hpp"

#include <algorithm>
#include <unordered_set>

namespace brine {

namespace {

struct Outside {
  std::uint64_t tensors = 0, arrays = 0;
};
// What of the tree does not lie in this part of it.
Outside outside_of(const Ref& root, const Ref& part) {
  Outside out;
  Walker walk(root);
  while (walk.next()) {
    const Ref& v = walk.value();
    if (is_container(v) && v.node == part.node) walk.skip();
    out.tensors += v.kind == Kind::tensor;
    out.arrays += is_array(v);
  }
  return out;
}

// Has a dict of weights anything but its entries? Most have none but the versions of modules.
bool has_attributes(const Graph& graph, const Ref& dict, const StateDict::Impl& state) {
  const Ref own = dict.node->origin ? state_of(*dict.node) : Ref{};
  if (own.kind != Kind::absent && (own.kind != Kind::dict || own.node->size != 1 || !graph.find(dict_of(own), "_metadata"))) return true;
  for (const auto& item : state.items)
    if (!state.kept_of(item) && Handles::record(item.tensor).origin) return true;
  return false;
}

// Tensors of this part that lie in no storage of its named ones: attributes, buffers that are not saved. Other values have names, too.
std::uint64_t unnamed_in(const Ref& part, const StateDict::Impl& state) {
  if (part.kind == Kind::dict && !has_attributes(*state.graph, part, state)) return 0;
  std::unordered_set<const void*> named;
  for (const auto& item : state.items) {
    if (const auto* kept = state.kept_of(item)) named.insert(kept->value.kind == Kind::tensor ? strided_or_none(tensor_of(kept->value)).storage : kept->value.pointer);
    else named.insert(strided_or_none(Handles::record(item.tensor)).storage);
  }
  std::uint64_t out = 0;
  Walker walk(part);
  while (walk.next()) {
    const Ref& v = walk.value();
    // What TorchScript made (packed weights of quantised modules) is told as the weights that it stands for.
    if (is_container(v) && (named.contains(v.pointer) || (v.kind == Kind::object && qualified_class_name(v) == "torch.ScriptObject"))) walk.skip();
    const StorageRecord* storage = v.kind == Kind::tensor ? strided_or_none(tensor_of(v)).storage : nullptr;
    out += storage && !named.contains(storage);
  }
  return out;
}

bool is_shape(const TensorRecord& t, std::int64_t size) noexcept { return t.ndim == 1 && t.shape()[0] == size; }

// Of torch: 5056 bytes on the CPU, 16 on CUDA (816 in old files).
bool is_generator(std::string_view name, const TensorRecord& t) noexcept {
  if (t.dtype != DType::uint8) return false;
  return is_shape(t, 5056) || ((is_shape(t, 16) || is_shape(t, 816)) && name.find("rng") != name.npos);
}

std::string counted(std::uint64_t n, std::string_view what) { return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s"); }

}  // namespace

bool is_numpy_generator(const Ref& value) noexcept {
  if (value.kind != Kind::tuple || tuple_of(value).size < 2) return false;
  const Ref& name = tuple_of(value).items()[0];
  return name.kind == Kind::string && text_of(name) == "MT19937";
}

// (data, slices[, class]): what PyTorch Geometric saves of a dataset; the data an object, or since 2.3 its to_dict(), which has what slices cut.
bool is_geometric_dataset(const Graph& graph, const Ref& root) noexcept {
  if (root.kind != Kind::tuple || tuple_of(root).size < 2 || tuple_of(root).size > 3) return false;
  const Ref &data = tuple_of(root).items()[0], &slices = tuple_of(root).items()[1];
  if (slices.kind != Kind::dict || slices.node->size == 0) return false;
  const auto entries = dict_of(slices).entries();
  const auto is_slice = [&](const Entry& e) {
    return e.value.kind == Kind::tensor && tensor_of(e.value).ndim == 1 && tensor_of(e.value).dtype == DType::int64 &&
           (data.kind != Kind::dict || graph.find(dict_of(data), e.key));
  };
  if (!std::all_of(entries.begin(), entries.end(), is_slice)) return false;
  return data.kind == Kind::dict || (data.kind == Kind::object && data.node->origin->callee.kind == Kind::global &&
                                     global_of(data.node->origin->callee).module.starts_with("torch_geometric"));
}

void note_what_it_is(const Ref& root, const Ref& weights, const std::string& place, StateDict::Impl& state) {
  const auto note = [&](Note::Code code, std::string text) {
    state.notes.add(code, {.file = {}, .record = {}, .offset = {}, .opcode = {}, .path = place.substr(0, 1000)}, std::move(text));
  };
  std::uint64_t tensors = 0, empty = 0, generators = 0;
  std::string generator;
  for (const auto& item : state.items) {
    if (!item.is_tensor) continue;
    const TensorRecord& t = Handles::record(item.tensor);
    ++tensors;
    empty += is_shape(t, 0);
    if (is_generator(item.name, t) && generators++ == 0) generator = in_quotes(item.name, 60);
  }
  if (tensors > 1 && empty * 2 > tensors)
    note(Note::Code::placeholders, std::to_string(empty) + " of " + counted(tensors, "tensor") +
                                       " have the shape [0]: placeholders, as DeepSpeed's ZeRO stage 3 leaves them; the weights are in other files "
                                       "(zero_pp_rank_*), which its zero_to_fp32.py puts together");
  if (tensors > 0 && generators == tensors)
    note(Note::Code::no_weights, tensors == 1 ? "the only tensor, " + generator + ", is the state of a random number generator, not weights"
                                              : "all " + counted(tensors, "tensor") + " are states of random number generators, not weights");
  else if (is_geometric_dataset(*state.graph, root) && same_object(tuple_of(root).items()[1], weights))
    note(Note::Code::no_weights, "these are the slices of a PyTorch Geometric dataset, not weights; its data is at '0'");
  else if (is_geometric_dataset(*state.graph, root) && same_object(tuple_of(root).items()[0], weights))
    note(Note::Code::no_weights, "this is the data of a PyTorch Geometric dataset, not weights; its slices are at '1'");
  if (tensors == 0 && state.from_module && state.items.size() == 0) {
    const std::string cls = qualified_class_name(weights);
    if (!cls.starts_with("torch."))
      note(Note::Code::nothing_kept, "the module " + escaped(cls, 100) +
                                         " has neither parameters nor buffers; what a state_dict() of its own gives is code, and not in the file: "
                                         "tensors() or brine ls --all lists the tensors that are, print() or brine show the tree");
  }
  if (const std::uint64_t unnamed = is_container(weights) ? unnamed_in(weights, state) : 0)
    note(Note::Code::part_of_file,
         counted(unnamed, "more tensor") + (place.empty() ? "" : " in " + in_quotes(place, 100)) +
             " that no name of the state dict has (attributes, buffers that are not saved): tensors() or brine ls --all lists " +
             (unnamed == 1 ? "it" : "them"));
  if (weights.node == root.node || !is_container(weights)) return;
  const auto [more, arrays] = outside_of(root, weights);
  if (more + arrays == 0) return;
  std::string text = more == 0 ? "" : more == 1 ? "1 more tensor" : std::to_string(more) + " more tensors";
  if (arrays > 0) text += (more ? " and " : "") + counted(arrays, "numpy array");
  text += " outside " + in_quotes(place, 100) + ": " +
          (more && arrays ? "tensors(), arrays()"
           : more         ? "tensors()"
                          : "arrays()") +
          " or --all lists " + (more + arrays == 1 ? "it" : "them");
  note(Note::Code::part_of_file, std::move(text));
}

}  // namespace brine
