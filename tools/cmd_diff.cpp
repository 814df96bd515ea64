// SPDX-License-Identifier: MIT
// brine diff: two checkpoints, their weights compared by name and all else by its place. Status 0: everything was compared and is equal; 1: something
// differs or was not compared, and the last line says what (or a file was refused).
#include "common.hpp"
#include "json.hpp"
#include "progress.hpp"

#include <memory>

namespace tool {

namespace {

constexpr std::size_t kLines = 10'000, kName = 120;
using Kind = brine::Difference::Kind;

/// What is printed of differences, and the last line.
class Report {
 public:
  void line(char sign, std::string_view name, const std::string& text) {
    const std::string shown = name.empty() ? root : cell(name, kName);
    if (sign == '?') add(not_compared_, others_, name.empty() ? text : shown + " (" + text + ")");
    else add(differs_, differing_, shown);
    if (++lines_ <= kLines) out += std::string(1, sign) + " " + shown + (text.empty() ? "" : "  " + text) + "\n";
  }
  /// Differences that are counted and not listed.
  void more(std::uint64_t n) { lines_ += n, differing_ += n; }
  void close() {
    if (lines_ > kLines) out += "… and " + std::to_string(lines_ - kLines) + " more\n";
  }
  std::string verdict() const {
    const auto list = [](const char* word, const std::string& names, std::uint64_t n) {
      return n == 0 ? "" : word + names + (n > kNamed ? " and " + std::to_string(n - kNamed) + " more" : "");
    };
    const std::string differs = list("differs: ", differs_, differing_), rest = list("not compared: ", not_compared_, others_);
    return differs + (differs.empty() || rest.empty() ? "" : "; ") + rest + (differs.empty() && rest.empty() ? "" : "\n");
  }
  std::string out, root;  // root: what the place that was compared is called

 private:
  static constexpr std::uint64_t kNamed = 5;
  static void add(std::string& list, std::uint64_t& n, const std::string& name) {
    if (n++ < kNamed) list += (list.empty() ? "" : ", ") + name;
  }
  std::string differs_, not_compared_;
  std::uint64_t lines_ = 0, differing_ = 0, others_ = 0;
};

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
    if (!a) return fail(a.error());
    const auto b = open(file_b, part_b);
    if (!b) return fail(b.error());
    brine::DiffOptions options;
    options.elements = !names;
    options.tolerance = tolerance;
    options.progress = [bar = Progress(), total = std::min(a->end_offset(), b->end_offset())](std::uint64_t bytes) { bar(bytes, total); };
    const auto found = compare(*a, *b, options);
    options.progress = {};
    if (!found) return fail(found.error());
    const bool equal = weights ? found->weights->equal() : found->equal();
    return (json ? print_json(*found, *a, *b, equal) : print(*found, equal)) && equal ? kDone : kRefused;
  }

  brine::Result<brine::CheckpointDiff> compare(const brine::Checkpoint& a, const brine::Checkpoint& b, const brine::DiffOptions& options) const {
    const std::string from_a = at_a.empty() ? at : at_a, from_b = at_b.empty() ? at : at_b;
    if (!weights) return brine::diff(a, b, options, from_a, from_b);
    auto mine = a.state_dict(from_a), theirs = b.state_dict(from_b);
    if (!mine) return std::move(mine).error();
    if (!theirs) return std::move(theirs).error();
    brine::CheckpointDiff out{.weights_a = std::move(*mine), .weights_b = std::move(*theirs), .weights = {}, .rest = {}};
    auto found = brine::diff(out.weights_a, out.weights_b, options);
    if (!found) return std::move(found).error();
    out.weights = std::move(*found);
    return out;
  }

  bool print(const brine::CheckpointDiff& found, bool equal) const {
    Report report;
    report.root = at_a.empty() && at.empty() ? "(the root)" : cell(at_a.empty() ? at : at_a, kName);
    std::string summary;
    if (const auto& w = found.weights) {
      for (const auto name : w->only_in_a) report.line('-', name, text_of(found.weights_a, name));
      for (const auto name : w->only_in_b) report.line('+', name, text_of(found.weights_b, name));
      for (const auto& e : w->differing) report.line('~', e.name, e.text);
      if (!weights)
        for (const auto& e : w->attributes) report.line('~', e.name, e.text);
      for (const auto& e : w->versions) report.line('~', e.name.empty() ? "_metadata" : "_metadata of " + std::string(e.name), e.text);
      const std::size_t differ = w->differing.size() + (weights ? 0 : w->attributes.size());
      summary = counted(w->compared, "name") + " in both" +
                (w->equal() && differ == 0 ? equal_text() : ", " + std::to_string(differ) + " differ; " + std::to_string(w->only_in_a.size()) + " only in the first, " +
                                                               std::to_string(w->only_in_b.size()) + " only in the second") +
                (w->same_order ? "\n" : "; the order differs\n");
    }
    const brine::Comparison& rest = found.rest;
    for (const brine::Difference& d : rest.differences)
      report.line(d.kind == Kind::only_in_a ? '-' : d.kind == Kind::only_in_b ? '+' : d.kind == Kind::not_compared ? '?' : '~', d.path, d.text);
    report.more(rest.differing + rest.not_compared - rest.differences.size());
    if (!found.weights || rest.compared > 1 || rest.differing > 0)
      summary += counted(rest.compared, found.weights ? "other value" : "value") + " in both" +
                 (rest.differing == 0 ? equal_text() : ", " + counted(rest.differing, "difference")) + (rest.same_order ? "\n" : "; the order differs\n");
    report.close();
    return write_out(report.out + summary + (equal ? "" : report.verdict()));
  }

  const char* equal_text() const { return names ? ": the same dtypes and shapes" : tolerance >= 0 ? ": equal within the tolerance" : ": equal"; }

  static std::string counted(std::uint64_t n, const std::string& what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

  static std::string text_of(const brine::StateDict& state, std::string_view name) {
    const brine::Tensor* t = state.find(name);
    return t ? std::string(brine::name(t->dtype())) + " " + shape_text(*t) : "(no tensor)";
  }

  static void put(JsonWriter& out, const brine::TensorDifference& d) {
    out.field("same_dtype", d.same_dtype).field("same_shape", d.same_shape).field("same_attributes", d.same_attributes);
    out.field("largest_difference", d.largest_difference).field("elements", d.differing);
  }

  bool print_json(const brine::CheckpointDiff& found, const brine::Checkpoint& a, const brine::Checkpoint& b, bool equal) const {
    if (const auto& w = found.weights) {
      std::uint64_t length = 0;
      for (const auto* list : {&w->only_in_a, &w->only_in_b})
        for (const auto name : *list) length += name.size();
      for (const auto* list : {&w->differing, &w->attributes, &w->versions})
        for (const auto& e : *list) length += e.name.size();
      if (length > 24 * (a.end_offset() + b.end_offset()) + (1 << 20))
        return fail(brine::Error(brine::ErrorKind::limit, brine::ErrorCode::copy_too_large, "the names of what differs are " + std::to_string(length) + " bytes, many times the files")), false;
    }
    constexpr const char* kinds[] = {"only_in_a", "only_in_b", "value", "type", "sharing", "not_compared"};
    JsonWriter out;
    out.object().field("a", file_a).field("b", file_b).field("equal", equal);
    if (const auto& w = found.weights) {
      out.key("weights").object().field("at_a", found.weights_a.path()).field("at_b", found.weights_b.path());
      out.field("compared", w->compared).field("same_order", w->same_order);
      for (const auto& [word, list] : {std::pair("only_in_a", &w->only_in_a), std::pair("only_in_b", &w->only_in_b)}) {
        out.key(word).array();
        for (const auto name : *list) out.value(name);
        out.end();
      }
      for (const auto& [word, list] : {std::pair("differing", &w->differing), std::pair("attributes", &w->attributes), std::pair("versions", &w->versions)}) {
        out.key(word).array();
        for (const auto& e : *list) {
          out.object().field("name", e.name).field("text", e.text);
          if (e.a && e.b) put(out, e);
          out.end();
        }
        out.end();
      }
      out.end();
    }
    if (!weights) {
      out.key("rest").object().field("compared", found.rest.compared).field("same_order", found.rest.same_order).field("differing", found.rest.differing);
      out.field("not_compared", found.rest.not_compared).key("differences").array();
      for (const auto& d : found.rest.differences) {
        out.object().field("kind", kinds[static_cast<std::size_t>(d.kind)]).field("path", d.path).field("text", d.text);
        if (!d.tensor.equal_bits || !d.tensor.same_attributes) put(out, d.tensor);
        out.end();
      }
      out.end().end();
    }
    return out.end().close();
  }
};

}  // namespace

void add_diff(CLI::App& app, Run& run) {
  auto d = std::make_shared<Diff>();
  CLI::App* command = app.add_subcommand("diff", "compare two checkpoints: the weights by name, all else by its place");
  command->add_option("A", d->file_a, "a checkpoint")->required();
  command->add_option("B", d->file_b, "another")->required();
  command->add_option("--at", d->at, "compare only this place of both, as ls --all prints it");
  command->add_option("--at-a", d->at_a, "the place in A");
  command->add_option("--at-b", d->at_b, "the place in B");
  command->add_flag("--state-dict,--weights", d->weights, "compare only the weights: names, dtypes, shapes, elements, versions");
  command->add_flag("--names", d->names, "of tensors only names, dtypes and shapes: reads no element");
  command->add_option("--tolerance", d->tolerance, "let numbers differ by as much as this: 1e-3")->check([](const std::string& text) {
    return text.starts_with('-') ? "expected a number from 0 on, found " + text : "";
  });
  command->add_flag("--json", d->json, "for programs");
  command->add_flag("--weights-only", d->weights_only, "refuse what torch.load(weights_only=True) refuses");
  command->add_flag("--no-mmap", d->plain, "read the files instead of mapping them");
  d->both.add_to(*command, "", "both files");
  d->part_a.add_to(*command, "-a", "A");
  d->part_b.add_to(*command, "-b", "B");
  command->footer(
      "Everything is compared: names, elements, numbers, texts, objects by what made them. The order of dicts is told and does not count; strides do not count.\n"
      "- is only in A, + only in B, ~ differs. Status: 0 all is equal; 1 something differs or was not compared, the last line says what; 2 wrong usage.\n"
      "Examples:\n  brine diff epoch1.pth epoch2.pth\n  brine diff whole_model.pth weights.pth --state-dict\n"
      "  brine diff ckpt.pt ckpt.pt --at-a model --at-b ema --tolerance 1e-3");
  command->callback([d, &run] { run = [d] { return d->run(); }; });
}

}  // namespace tool
