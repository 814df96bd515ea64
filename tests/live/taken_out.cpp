// SPDX-License-Identifier: MIT
// For test_taken_out.py: what a file holds is taken out by the API, put into a tree made by hand, and saved.
//   taken_out flat|tree today|old|as-read FILE OUT
// flat: every tensor by its path, in one dict. tree: dicts, lists, tuples and OrderedDicts made anew as they stand, each tensor from its handle, each state
// dict with `_metadata` from its StateDict.
// old: for PyTorch 1.6 to 2.0.
#include <brine/brine.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

brine::Tree tree;
const brine::Checkpoint* file;
std::unordered_map<std::uintptr_t, brine::Value> made;  // by the id of what it was made from: what is one object stays one

brine::Value remade(const brine::Value& from);

std::vector<brine::TreeItem> items(const brine::Value& from) {
  std::vector<brine::TreeItem> out;
  for (const auto& item : from.elements()) out.emplace_back(remade(item));
  return out;
}

brine::Value fresh(const brine::Value& from) {
  const std::string type = from.type_name();
  if (from.kind() == brine::Kind::tensor) return tree.value(from.as_tensor().value());
  if (from.attr("_metadata").exists()) return tree.state_dict(file->state_dict(from.path()).value()).value();
  if (from.state().exists()) return from;  // other attributes, which a Tree does not make
  if (type == "dict" || type == "collections.OrderedDict") {
    const auto dict = made[from.id()] = type == "dict" ? tree.dict() : tree.ordered_dict();
    for (const auto& [key, value] : from.items()) tree.set(dict, remade(key), remade(value)).value();
    return dict;
  }
  if (type == "list") {
    const auto list = made[from.id()] = tree.list();
    for (const auto& item : from.elements()) tree.append(list, remade(item)).value();
    return list;
  }
  return type == "tuple" ? tree.tuple(items(from)) : from;
}

brine::Value remade(const brine::Value& from) {
  if (!from.id()) return from;
  if (const auto found = made.find(from.id()); found != made.end()) return found->second;
  const auto value = fresh(from);
  return made[from.id()] = value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: taken_out flat|tree today|old|as-read FILE OUT\n", stderr), 2;
  const std::string_view how = argv[1], options = argv[2];
  const auto ckpt = brine::load(argv[3]);
  if (!ckpt) return std::fprintf(stderr, "%s\n", ckpt.error().message().c_str()), 1;

  file = &*ckpt;
  brine::Value root = tree.dict();
  if (how == "tree") root = remade(ckpt->root());
  else for (const auto& place : ckpt->tensors()) tree.set(root, place.full_path(), place.tensor).value();

  const auto saved = brine::save(root, argv[4], options == "as-read" ? brine::SaveOptions::as_read(*ckpt) : brine::SaveOptions{.profile = options == "old" ? brine::Profile::torch_1_6 : brine::Profile::torch_2_7});
  if (!saved) return std::fprintf(stderr, "%s\n", saved.error().message().c_str()), 1;
  std::printf("%zu tensors\n", ckpt->tensors().size());
  return 0;
}
