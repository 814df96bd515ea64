// SPDX-License-Identifier: MIT
// brine show: the object tree, bounded.
#include "common.hpp"

#include <memory>

namespace tool {

void add_show(CLI::App& app, Run& run) {
  struct Show {
    Common common;
    std::uint64_t depth = brine::PrintOptions{}.depth, items = 100;
  };
  auto show = std::make_shared<Show>();
  CLI::App* command = app.add_subcommand("show", "show the object that was saved, as a tree");
  show->common.add_to(*command);
  command->add_option("--depth", show->depth, "levels to show")->capture_default_str();
  command->add_option("--items", show->items, "items to show of each container")->capture_default_str();
  command->footer("Examples:\n  brine show checkpoint.pt\n  brine show checkpoint.pt --at optimizer.param_groups --depth 2");
  command->callback([show, &run] {
    run = [show] {
      const auto ckpt = show->common.open();
      if (!ckpt) return fail(ckpt.error());
      const brine::Value from = ckpt->at(show->common.at);
      if (!from.exists()) return fail(show->common.file + ": there is no place " + show->common.at);
      brine::PrintOptions options;
      options.depth = show->depth;
      options.per_container = show->items;
      return write_out(ckpt->print(from, options)) ? int{kDone} : int{kRefused};
    };
  });
}

}  // namespace tool
