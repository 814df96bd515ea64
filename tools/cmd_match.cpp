// SPDX-License-Identifier: MIT
// brine match: what load_state_dict of one file's weights into another file's model would do. Status 0: it would load, 1: it would not.
#include "common.hpp"
#include "json.hpp"
#include "output.hpp"

#include <memory>

namespace tool {

namespace {

struct Match {
  std::string model_file, weights_file, at_model, at_weights, model_name;
  bool no_strict = false, skip_mismatched = false, weights_only = false, plain = false, as_json = false;
  Part both, model_part, weights_part;

  struct Converted {
    std::string_view name;
    brine::DType from, to;
  };
  struct Found {
    bool loads = false;
    std::size_t entries = 0;
    brine::LoadReport report;
    std::string model_name;
    std::vector<Converted> converted;
    brine::Suggestions suggestions;
  };

  brine::Result<brine::Checkpoint> open(const std::string& file, const Part& part) const {
    brine::LoadOptions options;
    both.choose(options);
    part.choose(options);
    options.weights_only = weights_only;
    options.file_mode = plain ? brine::FileMode::plain : brine::FileMode::mapped;
    return brine::load(file, options);
  }

  int run() const {
    const auto model_ckpt = open(model_file, model_part), weights_ckpt = open(weights_file, weights_part);
    if (!model_ckpt) return fail(model_ckpt.error(), "-model");
    if (!weights_ckpt) return fail(weights_ckpt.error(), "-weights");
    const auto model = weights_of(*model_ckpt, at_model), weights = weights_of(*weights_ckpt, at_weights);
    if (!model) return fail(model.error(), "-model");
    if (!weights) return fail(weights.error(), "-weights");

    brine::LoadStateDictOptions options;
    options.strict = !no_strict;
    options.skip_mismatched = skip_mismatched;
    options.dry_run = true;
    if (!model_name.empty()) {
      options.model_name = model_name;
    } else if (model->from_module()) {
      const std::string cls = model_ckpt->at(model->path()).type_name();
      options.model_name = cls.substr(cls.rfind('.') + 1);
    }
    auto memory = brine::Parameters::like(*model);
    auto result = brine::load_state_dict(memory, *weights, options);
    if (!result && !result.error().found<brine::LoadReport>()) return fail(result.error());
    Found found{result.has_value(), memory.size(), result ? *std::move(result) : *result.error().found<brine::LoadReport>(), options.model_name, {}, {}};
    for (const auto& [name, tensor] : *weights)
      if (const brine::Tensor* mine = model->find(name); mine && mine->dtype() != tensor.dtype())
        found.converted.push_back({name, tensor.dtype(), mine->dtype()});
    found.suggestions = brine::suggest(memory, *weights, found.report);
    const std::uint64_t max = most_output(*model_ckpt) + most_output(*weights_ckpt);
    const bool written = as_json ? print_json(found, max) : print(found, max);
    return written && found.loads ? kDone : kRefused;
  }

  bool print(const Found& found, std::uint64_t max) const {
    const brine::LoadReport& report = found.report;
    Output out(max);
    if (found.loads) out.add(printable(report.to_string()) + "\n");
    else add_error(out, found);
    for (const auto& p : report.skipped)
      out.add("skipped: " + printable(p.key) + ", " + shape_text(p.checkpoint_shape) + " in the checkpoint, " + shape_text(p.model_shape) + " in the model\n");
    for (const Converted& c : found.converted)
      out.add("note: " + printable(c.name) + " would be converted, " + std::string(name(c.from)) + " -> " + std::string(name(c.to)) + "\n");
    std::string end = found.suggestions.to_string() + std::to_string(report.loaded) + " of " + std::to_string(found.entries) + " entries ";
    if (!report.skipped.empty())
      end += found.loads ? "would be loaded, " + std::to_string(report.skipped.size()) + " skipped\n"
                         : "fit, " + std::to_string(report.skipped.size()) + " skipped; it would not load\n";
    else end += found.loads ? "would be loaded\n" : "fit; it would not load\n";
    return out.close(end);
  }

  // The text of load_state_dict's error, whose lines are PyTorch's, with every name escaped.
  void add_error(Output& out, const Found& found) const {
    out.add("Error(s) in loading state_dict for " + printable(found.model_name) + ":\n");
    const auto list = [&](const char* title, const std::vector<std::string>& keys) {
      if (keys.empty() || no_strict) return;
      out.add(title);
      for (const std::string& key : keys)
        if (!out.add((&key == &keys.front() ? "\"" : ", \"") + printable(key) + "\"")) return;
      out.add(". \n");
    };
    list("    Missing key(s) in state_dict: ", found.report.missing_keys);
    list("    Unexpected key(s) in state_dict: ", found.report.unexpected_keys);
    for (const auto& p : found.report.problems)
      if (!out.add("    " + printable(p.text) + "\n")) return;
  }

  bool print_json(const Found& found, std::uint64_t max) const {
    return write_json(max, weights_file, [&](JsonWriter& json) {
      const auto names = [&](const char* key, const std::vector<std::string>& list) {
        json.key(key).array();
        for (const std::string& name : list) json.value(name);
        json.end();
      };
      const auto problems = [&](const char* key, const std::vector<brine::LoadReport::Problem>& list) {
        json.key(key).array();
        for (const auto& p : list)
          json.object().field("name", p.key).field("code", name(p.code)).field("model_shape", p.model_shape).field("shape", p.checkpoint_shape).end();
        json.end();
      };
      const brine::LoadReport& report = found.report;
      json.object().field("model", model_file).field("weights", weights_file).field("loads", found.loads).field("loaded", report.loaded).field("entries", found.entries);
      names("missing_keys", report.missing_keys);
      names("unexpected_keys", report.unexpected_keys);
      problems("problems", report.problems);
      problems("skipped", report.skipped);
      json.key("converted").array();
      for (const Converted& c : found.converted) json.object().field("name", c.name).field("from", name(c.from)).field("to", name(c.to)).end();
      json.end().key("suggestions").object();
      const brine::Suggestions& s = found.suggestions;
      json.field("strip_prefix", s.strip_prefix).field("add_prefix", s.add_prefix).field("prefix_matches", s.prefix_matches).key("rename").array();
      for (const auto& r : s.renames) json.object().field("rule", r.rule).field("matches", r.matches).end();
      json.end().key("tied").array();
      for (const auto& t : s.tied) json.object().field("missing", t.missing).field("present", t.present).end();
      json.end().key("pairs").array();
      for (const auto& p : s.pairs) json.object().field("missing", p.missing).field("unexpected", p.unexpected).field("same_shape", p.shapes_agree).end();
      json.end().end().end();
    });
  }
};

}  // namespace

void add_match(CLI::App& app, Run& run) {
  auto m = std::make_shared<Match>();
  CLI::App* command = app.add_subcommand("match", "would load_state_dict of these weights into that model work?");
  command->add_option("MODEL", m->model_file, "the model: saved whole, or its weights; - is standard input")->required()->transform(stream("/dev/stdin"));
  command->add_option("WEIGHTS", m->weights_file, "the weights to load into it")->required()->transform(stream("/dev/stdin"));
  command->add_flag("--no-strict", m->no_strict, "as load_state_dict(…, strict=False)");
  command->add_flag("--skip-mismatched", m->skip_mismatched, "leave entries of another shape alone, and say which");
  command->add_flag("--json", m->as_json, "for programs");
  command->add_option("--at-model", m->at_model, "where the model is in its file, as ls --all prints it");
  command->add_option("--at-weights", m->at_weights, "where the weights are in theirs");
  command->add_option("--name", m->model_name, "the model's class name in the message");
  command->add_flag("--weights-only", m->weights_only, "refuse what torch.load(weights_only=True) refuses");
  command->add_flag("--no-mmap", m->plain, "read the files instead of mapping them");
  m->both.add_to(*command, "", "both files");
  m->model_part.add_to(*command, "-model", "MODEL");
  m->weights_part.add_to(*command, "-weights", "WEIGHTS");
  command->footer(
      "Prints PyTorch's result or error, and what the keys might have meant. Status: 0 it would load, 1 it would not, 2 wrong usage.\n"
      "Examples:\n  brine match whole_model.pth only_weights.pth\n  brine match model.pth pretrained.pth --no-strict --at-weights ema\n"
      "  brine match model.pth other_classes.pth --skip-mismatched --json");
  command->callback([m, &run] { run = [m] { return m->run(); }; });
}

}  // namespace tool
