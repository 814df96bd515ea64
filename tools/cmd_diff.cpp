// SPDX-License-Identifier: MIT
// brine diff: two checkpoints, their weights compared by name and all else by its place. Status 0: everything was compared and is equal; 1: something
// differs or was not compared, and the last line says what (or a file was refused).
#include "common.hpp"
#include "diff_report.hpp"
#include "output.hpp"
#include "progress.hpp"

#include <cmath>
#include <cstdlib>
#include <memory>

namespace tool {

namespace {

struct Diff {
  std::string file_a, file_b, at, at_a, at_b;
  bool weights_only = false, plain = false, names = false, weights = false, json = false;
  double tolerance = -1;
  Part both, part_a, part_b;

  brine::Result<brine::Checkpoint> open(const std::string& file, const Part& part) const {
    brine::LoadOptions options;
    both.choose(options);
    part.choose(options);
    options.weights_only = weights_only;
    options.file_mode = plain ? brine::FileMode::plain : brine::FileMode::mapped;
    return brine::load(file, options);
  }

  int run() const {
    const auto a = open(file_a, part_a);
    if (!a) return fail(a.error(), "-a");
    const auto b = open(file_b, part_b);
    if (!b) return fail(b.error(), "-b");
    brine::DiffOptions options;
    options.elements = !names;
    options.tolerance = tolerance;
    options.progress = [bar = Progress(), total = std::min(a->end_offset(), b->end_offset())](std::uint64_t bytes) { bar(bytes, total); };
    std::string_view suffix = "-a";
    const auto found = compare(*a, *b, options, suffix);
    options.progress = {};
    if (!found) return fail(found.error(), suffix);
    const DiffReport report{
        .found = *found,
        .equal = weights ? found->weights->equal() : found->equal(),
        .weights_only = weights,
        .elements = !names,
        .root = at_a.empty() ? at : at_a,
        .equal_text = names ? "the same dtypes and shapes" : tolerance >= 0 ? "equal within the tolerance" : "equal",
    };
    return (json ? report.print_json(file_a, file_b, most_output(*a) + most_output(*b)) : report.print(most_output(*a) + most_output(*b))) && report.equal ? kDone : kRefused;
  }

  brine::Result<brine::CheckpointDiff> compare(const brine::Checkpoint& a, const brine::Checkpoint& b, const brine::DiffOptions& options, std::string_view& suffix) const {
    const std::string from_a = at_a.empty() ? at : at_a, from_b = at_b.empty() ? at : at_b;
    if (!weights) return brine::diff(a, b, options, from_a, from_b);
    auto mine = weights_of(a, from_a), theirs = weights_of(b, from_b);
    if (!mine) return std::move(mine).error();
    if (!theirs) return suffix = "-b", std::move(theirs).error();
    brine::CheckpointDiff out{.weights_a = std::move(*mine), .weights_b = std::move(*theirs), .weights = {}, .rest = {}};
    auto found = brine::diff(out.weights_a, out.weights_b, options);
    if (!found) return std::move(found).error();
    out.weights = std::move(*found);
    return out;
  }
};

}  // namespace

void add_diff(CLI::App& app, Run& run) {
  auto d = std::make_shared<Diff>();
  CLI::App* command = app.add_subcommand("diff", "compare two checkpoints: the weights by name, all else by its place");
  command->add_option("A", d->file_a, "a checkpoint; - is standard input")->required()->transform(stream("/dev/stdin"));
  command->add_option("B", d->file_b, "another")->required()->transform(stream("/dev/stdin"));
  command->add_option("--at", d->at, "compare only this place of both, as ls --all prints it");
  command->add_option("--at-a", d->at_a, "the place in A");
  command->add_option("--at-b", d->at_b, "the place in B");
  command->add_flag("--state-dict,--weights", d->weights, "compare only the weights, wherever they are: names, dtypes, shapes, elements, versions");
  command->add_flag("--names", d->names, "of tensors only names, dtypes and shapes: reads no element");
  command->add_option("--tolerance", d->tolerance, "let numbers differ by as much as this: 1e-3")->check([](const std::string& text) {
    return text.starts_with('-') || std::isnan(std::strtod(text.c_str(), nullptr)) ? "expected a number from 0 on, found " + text : "";
  });
  command->add_flag("--json", d->json, "for programs");
  command->add_flag("--weights-only", d->weights_only, "refuse what torch.load(weights_only=True) refuses");
  command->add_flag("--no-mmap", d->plain, "read the files instead of mapping them");
  d->both.add_to(*command, "", "both files");
  d->part_a.add_to(*command, "-a", "A");
  d->part_b.add_to(*command, "-b", "B");
  command->footer(
      "Everything is compared: names, elements, numbers, texts, objects by what made them, which tensors share memory, where the weights are, and what follows\n"
      "in the file. The order of dicts is told and does not count; strides do not count. Of the weights alone (--state-dict) neither their places count nor\n"
      "what they share, nor their attributes. The tolerance is for floats, complex numbers and the elements of tensors and numpy arrays.\n"
      "- is only in A, + only in B, ~ differs. Status: 0 all is equal; 1 something differs or was not compared, the last line says what; 2 wrong usage.\n"
      "Examples:\n  brine diff epoch1.pth epoch2.pth\n  brine diff whole_model.pth weights.pth --state-dict\n"
      "  brine diff ckpt.pt ckpt.pt --at-a model --at-b ema --tolerance 1e-3");
  command->callback([d, &run] { run = [d] { return d->run(); }; });
}

}  // namespace tool
