// SPDX-License-Identifier: MIT
// brine show: the object tree, bounded.
#include "common.hpp"
#include "output.hpp"
#include "tree_json.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace tool {

namespace {

// A text, or a name, that many classes share is shown once.
int print_sources(const brine::Checkpoint& ckpt) {
  const auto sources = ckpt.sources();
  if (sources.empty()) return fail(std::string(ckpt.file()), "the file carries no source texts; only a legacy stream of a whole model does");
  Output out(most_output(ckpt));
  std::map<std::pair<const char*, std::size_t>, std::string> shown;
  for (const auto& [name, file, text] : sources) {
    const std::string cls = cell(name.module, 60) + "." + cell(name.name, 60);
    const auto [first, fresh] = shown.try_emplace({text.data(), text.size()}, cls);
    if (!out.add("# " + cls + (file.empty() ? "" : ", from " + cell(file, 100)) + (fresh || text.empty() ? "\n" : ": the text of " + first->second + "\n"))) break;
    if (!fresh) continue;
    for (std::size_t at = 0; at < text.size();) {  // line by line: other control characters do not reach the terminal
      const std::size_t end = std::min(text.find('\n', at), text.size());
      if (!out.add(printable(text.substr(at, end - at)) + "\n")) break;
      at = end + 1;
    }
  }
  return out.close() ? int{kDone} : int{kRefused};
}

// A few bytes of a pickle can refer to much: the text is bounded by it.
int print_json(const brine::Checkpoint& ckpt, const brine::Value& from, const Common& common, TreeBounds bounds) {
  bounds.bytes = 16 * ckpt.pickle_bytes() + (1 << 19);
  JsonWriter json;
  json.object().field("file", common.file).field("format", name(ckpt.format())).field("protocol", ckpt.protocol()).field("at", common.at).key("tree");
  const bool whole = write_tree(json, from, bounds);
  return json.field("complete", whole).end().close() ? kDone : kRefused;
}

}  // namespace

void add_show(CLI::App& app, Run& run) {
  struct Show {
    Common common;
    std::uint64_t depth = brine::PrintOptions{}.depth, items = 100;
    bool modules = false, source = false, json = false;
    const CLI::Option* has_depth = nullptr;
  };
  auto show = std::make_shared<Show>();
  CLI::App* command = app.add_subcommand("show", "show the object that was saved, as a tree");
  show->common.add_to(*command);
  show->has_depth = command->add_option("--depth", show->depth, "levels to show; 100 of JSON, which programs read with a stack")->capture_default_str();
  command->add_option("--items", show->items, "items to show of each container")->capture_default_str();
  command->add_flag("--modules", show->modules, "of a whole pickled model: its modules, as Python's print(model)");
  command->add_flag("--source", show->source, "the source texts of classes that a legacy file carries");
  command->add_flag("--json", show->json, "for programs: {\"file\", \"format\", \"protocol\", \"at\", \"tree\", \"complete\"}")->excludes("--modules")->excludes("--source");
  command->footer("In JSON None, bool, int, float, str and list are JSON's own; of all else an object's first key is the type: {\"dict\": {…}}, {\"Tensor\": {…}},\n"
                  "{\"module.Class\": {\"args\": […], \"state\": …}}. \"complete\" is false where depth, items or size cut the tree short.\n\n"
                  "Examples:\n  brine show checkpoint.pt\n  brine show checkpoint.pt --at optimizer.param_groups --depth 2\n  brine show whole_model.pth --modules");
  command->callback([show, &run] {
    run = [show] {
      const auto ckpt = show->common.open();
      if (!ckpt) return fail(ckpt.error());
      const brine::Value from = ckpt->at(show->common.at);
      if (!from.exists()) return fail(no_place(show->common.file, show->common.at));
      if (show->modules) {
        auto model = brine::Module::of(from);
        if (!model)  // in a checkpoint: where `ls` finds the weights
          if (const auto weights = ckpt->state_dict(show->common.at); weights && weights->from_module()) model = brine::Module::of(ckpt->at(weights->path()));
        if (!model) return fail(brine::Error(model.error()).in_file(show->common.file));
        return write_out(model->repr() + "\n") ? int{kDone} : int{kRefused};
      }
      if (show->source) return print_sources(*ckpt);
      if (show->json) return print_json(*ckpt, from, show->common, {.depth = show->has_depth->count() > 0 ? show->depth : 100, .items = show->items, .bytes = 0});
      brine::PrintOptions options;
      options.depth = show->depth;
      options.per_container = show->items;
      return write_out(ckpt->print(from, options)) ? int{kDone} : int{kRefused};
    };
  });
}

}  // namespace tool
