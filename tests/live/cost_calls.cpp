// SPDX-License-Identifier: MIT
// For cost.py: one call of the library on one file, and nothing else; what it gives is dropped. Without arguments: the names of the calls.
// Status 0, or 1 where the file or the call is refused.
#include <brine/brine.hpp>

#include <cstdio>
#include <string_view>
#include <vector>

using namespace brine;

namespace {

template <class T>
int status(const Result<T>& result) {
  return result ? 0 : 1;
}

int with_state(const Checkpoint& ckpt, Result<void> (*call)(StateDict&)) {
  auto state = ckpt.state_dict();
  return state ? status(call(*state)) : 1;
}

int saved(const Value& value, const SaveOptions& options) {
  return status(save(value, "/dev/null", options));
}

struct Call {
  const char* name;
  int (*run)(const Checkpoint&);
};

constexpr Call kCalls[] = {
    {"load", [](const Checkpoint&) { return 0; }},
    {"tensors", [](const Checkpoint& c) { return (void)c.tensors(), 0; }},
    {"arrays", [](const Checkpoint& c) { return (void)c.arrays(), 0; }},
    {"print", [](const Checkpoint& c) { return (void)c.print(), 0; }},
    {"type_name", [](const Checkpoint& c) { return (void)c.root().type_name(), 0; }},
    {"items",
     [](const Checkpoint& c) {
       for (const auto& [key, value] : c.root().items()) (void)c.root()[key.as_string().value_or("")];
       return 0;
     }},
    {"module",
     [](const Checkpoint& c) {
       const auto module = Module::of(c.root());
       if (module) (void)module->repr(), (void)module->parameters(), (void)module->children();
       return status(module);
     }},
    {"state_dict", [](const Checkpoint& c) { return status(c.state_dict()); }},
    {"find", [](const Checkpoint& c) {
       return with_state(c, [](StateDict& s) -> Result<void> {
         for (const auto& [name, tensor] : s) (void)s.find(name);
         return {};
       });
     }},
    {"like", [](const Checkpoint& c) { return with_state(c, [](StateDict& s) -> Result<void> { return (void)Parameters::like(s), Result<void>(); }); }},
    {"load_state_dict", [](const Checkpoint& c) {
       return with_state(c, [](StateDict& s) -> Result<void> {
         auto mine = Parameters::like(s);
         StateDict other = s;
         other.add_prefix("module.");
         LoadStateDictOptions options;
         options.strict = false, options.dry_run = true;
         const auto report = load_state_dict(mine, other, options);
         if (!report) return report.error();
         (void)report->to_string();
         (void)suggest(mine, other, *report).to_string();
         return {};
       });
     }},
    {"edit", [](const Checkpoint& c) {
       return with_state(c, [](StateDict& s) -> Result<void> {
         s.add_prefix("a.b.");
         s.strip_prefix("a.");
         const std::vector<std::string> rules = {"s/^b.//", "s/weight$/w/"}, globs = {"*w*"};
         if (auto renamed = remap_keys(s, rules); !renamed) return renamed.error();
         s.drop(globs);
         return {};
       });
     }},
    {"save", [](const Checkpoint& c) { return saved(c.root(), {}); }},
    {"save as read", [](const Checkpoint& c) { return saved(c.root(), SaveOptions::as_read(c)); }},
    {"save the state dict", [](const Checkpoint& c) {
       return with_state(c, [](StateDict& s) -> Result<void> { return save(s, "/dev/null"); });
     }},
    {"save in a tree", [](const Checkpoint& c) {
       Tree tree;
       return saved(tree.list({c.root()}), {});
     }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    for (const Call& call : kCalls) std::puts(call.name);
    return 0;
  }
  const std::string_view wanted = argc == 3 ? argv[1] : "";
  for (const Call& call : kCalls) {
    if (wanted != call.name) continue;
    const auto ckpt = load(argv[2]);
    return ckpt ? call.run(*ckpt) : 1;
  }
  return 2;
}
