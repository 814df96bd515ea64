// SPDX-License-Identifier: MIT
// The command `brine`: one file per subcommand (cmd_*.cpp). Exit codes: 0 done, 1 refused or cannot be opened, 2 wrong usage.
#include "common.hpp"

#include <cstdio>

int main(int argc, char** argv) {
  CLI::App app("brine looks into PyTorch checkpoint files (.pth, .pt, .bin, .ckpt) without PyTorch.\nNothing in a file is ever executed.", "brine");
  app.set_version_flag("--version", "brine " BRINE_VERSION);
  app.require_subcommand(1);
  app.footer("Examples:\n  brine ls resnet50.pth              the weights: name, dtype, shape, bytes\n"
             "  brine show checkpoint.pt           the whole object tree\n  brine cat resnet50.pth fc.bias     one tensor's values\n"
             "  brine convert old.pth new.pth      saved again, as today's torch.save would\n"
             "  brine diff a.pth b.pth             two state dicts, compared\n  brine match model.pth weights.pth  would load_state_dict work?\n"
             "  brine pickle resnet50.pth          the pickle, instruction by instruction\n\nbrine COMMAND --help tells more.");
  tool::Run run;
  tool::add_ls(app, run);
  tool::add_show(app, run);
  tool::add_cat(app, run);
  tool::add_convert(app, run);
  tool::add_diff(app, run);
  tool::add_match(app, run);
  tool::add_pickle(app, run);
  try {
    app.parse(argc, argv);
    return run();
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    std::fprintf(stderr, "brine: %s; brine --help tells how\n", tool::printable(e.what()).c_str());
    return tool::kUsage;
  } catch (const std::exception& e) {
    return tool::fail(e.what());
  }
}
