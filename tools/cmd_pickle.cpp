// SPDX-License-Identifier: MIT
// brine pickle: the pickles of the file, instruction by instruction.
#include "common.hpp"

#include <memory>

namespace tool {

void add_pickle(CLI::App& app, Run& run) {
  auto common = std::make_shared<Common>();
  CLI::App* command = app.add_subcommand("pickle", "disassemble the file's pickles, with byte offsets");
  common->add_to(*command, false);
  command->footer("Example:\n  brine pickle model.pth | grep GLOBAL      # every class and function the file names");
  command->callback([common, &run] {
    run = [common] {
      const auto source = brine::Source::file(common->file, common->load_options().file_mode);
      if (!source) return fail(source.error());
      std::string out, record;
      bool written = true;
      const auto done = brine::disassemble(
          *source,
          [&](std::string_view in, const brine::Instruction& i) {
            if (record != in) out += printable(record = in) + ":\n";
            const std::string offset = std::to_string(i.offset);
            out += std::string(offset.size() < 8 ? 8 - offset.size() : 0, ' ') + offset + "  " + std::string(i.opcode);
            if (!i.argument.empty()) out += std::string(i.opcode.size() < 16 ? 16 - i.opcode.size() : 0, ' ') + " " + i.argument;
            out += '\n';
            if (out.size() > 1 << 16) written = write_out(std::exchange(out, {}), false);
            return written;
          },
          common->load_options());
      if (written) written = write_out(out);
      if (!done) return fail(done.error());
      return written ? int{kDone} : int{kRefused};
    };
  });
}

}  // namespace tool
