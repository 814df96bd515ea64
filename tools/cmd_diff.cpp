// SPDX-License-Identifier: MIT
// brine diff: two state dicts, compared by name. Status 0: equal, 1: they differ (or a file was refused).
#include "common.hpp"

#include <cstdio>
#include <memory>

namespace tool {

namespace {

struct Diff {
  std::string file_a, file_b, at_a, at_b;
  bool weights_only = false, plain = false, names = false;
  double tolerance = -1;

  brine::Result<brine::StateDict> open(const std::string& file, const std::string& at) const {
    brine::LoadOptions options;
    options.weights_only = weights_only;
    options.file_mode = plain ? brine::FileMode::plain : brine::FileMode::mapped;
    auto ckpt = brine::load(file, options);
    if (!ckpt) return std::move(ckpt).error();
    return ckpt->state_dict(at);
  }

  int run() const {
    const auto a = open(file_a, at_a);
    if (!a) return fail(a.error());
    const auto b = open(file_b, at_b);
    if (!b) return fail(b.error());
    const auto diff = brine::diff(*a, *b, !names);
    if (!diff) return fail(diff.error());

    std::string out;
    std::size_t differing = 0;
    for (const std::string& name : diff->only_in_a) out += "- " + printable(name) + text_of(*a, name) + "\n";
    for (const std::string& name : diff->only_in_b) out += "+ " + printable(name) + text_of(*b, name) + "\n";
    for (const auto& e : diff->differing) {
      if (within_tolerance(e)) continue;
      ++differing;
      out += "~ " + printable(e.name) + change(e) + "\n";
    }
    const bool equal = diff->only_in_a.empty() && diff->only_in_b.empty() && differing == 0;
    out += std::to_string(diff->compared) + (diff->compared == 1 ? " name in both" : " names in both") +
           (equal ? (names ? ": the same dtypes and shapes" : tolerance >= 0 ? ": equal within the tolerance" : ": equal")
                  : ", " + std::to_string(differing) + " differ; " + std::to_string(diff->only_in_a.size()) + " only in the first, " +
                        std::to_string(diff->only_in_b.size()) + " only in the second") +
           (diff->same_order ? "\n" : "; the order differs\n");
    return write_out(out) && equal ? kDone : kRefused;
  }

  bool within_tolerance(const brine::StateDiff::Entry& e) const {
    return tolerance >= 0 && e.same_dtype && e.same_shape && e.largest_difference && *e.largest_difference <= tolerance;
  }

  static std::string text_of(const brine::StateDict& state, const std::string& name) {
    const brine::Tensor* t = state.find(name);
    return t ? "  " + std::string(brine::name(t->dtype())) + " " + shape_text(*t) : "  (no tensor)";
  }

  static std::string change(const brine::StateDiff::Entry& e) {
    if (!e.a || !e.b) return "  no tensor in " + std::string(!e.a && !e.b ? "either" : e.a ? "the second" : "the first");
    std::string out;
    if (!e.same_dtype) out += "  " + std::string(name(e.a->dtype())) + " -> " + std::string(name(e.b->dtype()));
    if (!e.same_shape) out += "  " + shape_text(*e.a) + " -> " + shape_text(*e.b);
    if (e.largest_difference) {
      char number[64];
      std::snprintf(number, sizeof number, "%.6g", *e.largest_difference);
      out += e.differing == 0 ? "  the same values"
                              : "  largest difference " + std::string(number) + ", " + std::to_string(e.differing) + " of " +
                                    std::to_string(e.a->numel()) + " elements";
    } else if (e.same_dtype && e.same_shape) {
      out += "  other bits";
    }
    return out;
  }
};

}  // namespace

void add_diff(CLI::App& app, Run& run) {
  auto d = std::make_shared<Diff>();
  CLI::App* command = app.add_subcommand("diff", "compare two state dicts: names, dtypes, shapes, largest difference");
  command->add_option("A", d->file_a, "a checkpoint")->required();
  command->add_option("B", d->file_b, "another")->required();
  command->add_option("--at-a", d->at_a, "where the weights are in A, as ls --all prints it");
  command->add_option("--at-b", d->at_b, "where they are in B");
  command->add_flag("--names", d->names, "names, dtypes and shapes only: reads no element");
  command->add_option("--tolerance", d->tolerance, "let values differ by as much as this")->check(CLI::NonNegativeNumber);
  command->add_flag("--weights-only", d->weights_only, "refuse what torch.load(weights_only=True) refuses");
  command->add_flag("--no-mmap", d->plain, "read the files instead of mapping them");
  command->footer(
      "Status: 0 equal, 1 different, 2 wrong usage.\nExamples:\n  brine diff epoch1.pth epoch2.pth\n  brine diff ckpt.pt ckpt.pt --at-a "
      "model --at-b ema --tolerance 1e-3");
  command->callback([d, &run] { run = [d] { return d->run(); }; });
}

}  // namespace tool
