// SPDX-License-Identifier: MIT
// The command `brine`: one file per subcommand (cmd_*.cpp). Exit codes: 0 done, 1 refused or cannot be opened, 2 wrong usage.
#include "common.hpp"
#include "usage.hpp"

#include <algorithm>
#include <csignal>
#include <new>
#include <sstream>

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a write that the limit on file sizes cuts fails, and is told
  CLI::App app("brine looks into PyTorch checkpoint files (.pth, .pt, .bin, .ckpt) without PyTorch.\nNothing in a file is ever executed.", "brine");
  app.set_version_flag("--version", "brine " BRINE_VERSION);
  app.require_subcommand(1);
  app.footer("Examples:\n  brine ls resnet50.pth              the weights: name, dtype, shape, bytes\n"
             "  brine show checkpoint.pt           the whole object tree\n  brine cat resnet50.pth fc.bias     one tensor's values\n"
             "  brine convert old.pth new.pth      saved again, as today's torch.save would\n"
             "  brine diff a.pth b.pth             two checkpoints, compared\n  brine match model.pth weights.pth  would load_state_dict work?\n"
             "  brine check resnet50.pth           is it whole, and which classes does it ask for?\n  brine stats resnet50.pth           least, greatest, mean; NaN and Inf\n"
             "  brine pickle resnet50.pth          the pickle, instruction by instruction\n\nbrine help VERB (or brine VERB --help) tells more.");
  tool::Run run;
  tool::add_ls(app, run);
  tool::add_show(app, run);
  tool::add_cat(app, run);
  tool::add_convert(app, run);
  tool::add_diff(app, run);
  tool::add_match(app, run);
  tool::add_stats(app, run);
  tool::add_check(app, run);
  tool::add_pickle(app, run);
  tool::complete_verbs(app);
  const std::vector<std::string> words = tool::usual_words(app, {argv + (argc > 0), argv + argc});
  const auto options_end = std::find(words.begin(), words.end(), "--");
  tool::set_json_errors(std::find(words.begin(), options_end, "--json") != options_end);
  if (const auto fault = tool::unknown_verb(app, words)) return tool::fail_usage(*fault);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    return run();
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help, --version
      std::ostringstream text;
      app.exit(e, text);
      return tool::write_out(text.str()) ? int{tool::kDone} : int{tool::kRefused};
    }
    return tool::fail_usage(tool::usage_fault(app, words, e));
  } catch (const std::bad_alloc&) {
    return tool::fail(brine::Error(brine::ErrorKind::limit, brine::ErrorCode::out_of_memory, "out of memory"));
  } catch (const std::exception& e) {
    return tool::fail("", e.what());
  }
}
