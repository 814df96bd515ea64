// SPDX-License-Identifier: MIT
// brine check: reads everything, compares every CRC, and names every class and function the file asks for. Status 0: the file is whole.
#include "common.hpp"
#include "json.hpp"
#include "output.hpp"
#include "progress.hpp"

#include <algorithm>
#include <memory>

namespace tool {

namespace {

struct Check {
  Common common;
  bool json = false;

  int run() const {
    const auto ckpt = common.open();
    if (!ckpt) return fail(ckpt.error());
    const auto checked = brine::check(*ckpt, Progress());
    if (!checked) return fail(checked.error());
    const auto names = brine::globals(*ckpt);
    if (!names) return fail(names.error());
    return (json ? print_json(*ckpt, *checked, names->names) : print(*ckpt, *checked, names->names)) && checked->damaged == 0 ? kDone : kRefused;
  }

  static bool print(const brine::Checkpoint& ckpt, const brine::Checked& checked, const std::vector<brine::GlobalUse>& names) {
    std::string out;
    for (const brine::Error& fault : checked.faults) out += "damaged: " + printable(fault.message()) + "\n";
    if (checked.damaged > checked.faults.size()) out += "… and " + std::to_string(checked.damaged - checked.faults.size()) + " more\n";
    const bool none = checked.without_crc == checked.records;
    out += std::to_string(checked.records) + (checked.records == 1 ? " record, " : " records, ") + human_bytes(checked.bytes) + " (" + std::string(name(ckpt.format())) + "): " +
           (checked.damaged > 0 ? std::to_string(checked.damaged) + " damaged"
            : none              ? ckpt.format() == brine::Format::legacy ? "all read; this form has no CRCs" : "all read; the file was written without CRCs"
                                : "every CRC is right" + (checked.without_crc ? ", but " + std::to_string(checked.without_crc) + " have none" : std::string())) +
           (checked.damaged == 0 && checked.member_crc ? "; so is the member's in the zip around it\n" : "\n");
    for (const brine::Note& n : ckpt.notes())
      out += "note: " + printable(n.text) +
             (n.place.offset && !n.place.record.empty() ? " (" + printable(n.place.record) + ", byte " + std::to_string(*n.place.offset) + ")" : "") +
             "\n";
    const auto refused = std::count_if(names.begin(), names.end(), [](const auto& use) { return !use.allowed; });
    out += std::to_string(names.size()) + (names.size() == 1 ? " class or function is" : " classes and functions are") + " asked for; torch.load(weights_only=True) " +
           (refused == 0 ? "allows all\n" : "refuses " + std::to_string(refused) + "\n");
    Output table(most_output(ckpt));
    table.add(out);
    for (const auto& use : names) {
      const std::string line = std::string(use.allowed ? "  allowed  " : "  refused  ") + (use.known ? "known  " : "other  ") +
                               cell(std::string(use.name.module) + "." + std::string(use.name.name), 120) +
                               (use.uses > 1 ? "  (" + std::to_string(use.uses) + " times)" : "") + "\n";
      if (!table.add(line)) break;
    }
    return table.close();
  }

  bool print_json(const brine::Checkpoint& ckpt, const brine::Checked& checked, const std::vector<brine::GlobalUse>& names) const {
    return write_json(most_output(ckpt), common.file, [&](JsonWriter& out) {
      out.object().field("file", common.file).field("format", name(ckpt.format())).field("whole", checked.damaged == 0).field("records", checked.records);
      out.field("bytes", checked.bytes).field("without_crc", checked.without_crc).field("member_crc", checked.member_crc).field("damaged", checked.damaged).key("faults").array();
      for (const brine::Error& fault : checked.faults)
        out.object().field("code", name(fault.code())).field("message", fault.text()).field("record", fault.place().record).field("offset", fault.place().offset).end();
      out.end().key("globals").array();
      for (const auto& use : names)
        out.object().field("module", use.name.module).field("name", use.name.name).field("known", use.known).field("weights_only", use.allowed).field("uses", use.uses).end();
      out.end().key("notes").array();
      for (const brine::Note& n : ckpt.notes()) out.object().field("code", name(n.code)).field("text", n.text).field("offset", n.place.offset).end();
      out.end().end();
    });
  }
};

}  // namespace

void add_check(CLI::App& app, Run& run) {
  auto c = std::make_shared<Check>();
  CLI::App* command = app.add_subcommand("check", "read everything, compare every CRC, name every class and function the file asks for");
  c->common.add_to(*command, false);
  command->add_flag("--json", c->json, "for programs");
  command->footer(
      "Classes and functions: allowed or refused by torch.load(weights_only=True) of PyTorch 2.13, without which Python runs whatever is asked for; known\n"
      "ones brine builds itself (tensors, OrderedDict …), of others it keeps the name and the arguments. brine runs none.\n"
      "Status: 0 whole, 1 damaged or refused, 2 wrong usage.\nExample:\n  brine check model.pth");
  command->callback([c, &run] { run = [c] { return c->run(); }; });
}

}  // namespace tool
