// SPDX-License-Identifier: MIT
// brine match: what load_state_dict of one file's weights into another file's model would do. Status 0: it would load, 1: it would not.
#include "common.hpp"

#include <memory>

namespace tool {

namespace {

struct Match {
  std::string model_file, weights_file, at_model, at_weights, model_name;
  bool no_strict = false, weights_only = false, plain = false;

  brine::Result<brine::Checkpoint> open(const std::string& file) const {
    brine::LoadOptions options;
    options.weights_only = weights_only;
    options.file_mode = plain ? brine::FileMode::plain : brine::FileMode::mapped;
    return brine::load(file, options);
  }

  int run() const {
    const auto model_ckpt = open(model_file), weights_ckpt = open(weights_file);
    if (!model_ckpt) return fail(model_ckpt.error());
    if (!weights_ckpt) return fail(weights_ckpt.error());
    const auto model = model_ckpt->state_dict(at_model), weights = weights_ckpt->state_dict(at_weights);
    if (!model) return fail(model.error());
    if (!weights) return fail(weights.error());

    brine::LoadStateDictOptions options;
    options.strict = !no_strict;
    options.dry_run = true;
    if (!model_name.empty()) {
      options.model_name = model_name;
    } else if (model->from_module()) {
      const std::string cls = model_ckpt->at(model->path()).type_name();
      options.model_name = cls.substr(cls.rfind('.') + 1);
    }
    auto memory = brine::Parameters::like(*model);
    const auto result = brine::load_state_dict(memory, *weights, options);
    if (!result && !result.error().report()) return fail(result.error());
    const brine::LoadReport& report = result ? *result : *result.error().report();

    std::string out = lines(result ? report.to_string() : result.error().text());
    for (const auto& [name, tensor] : *weights)
      if (const brine::Tensor* mine = model->find(name); mine && mine->dtype() != tensor.dtype())
        out += "note: " + printable(name) + " would be converted, " + std::string(brine::name(tensor.dtype())) + " -> " +
               std::string(brine::name(mine->dtype())) + "\n";
    out += brine::suggest(memory, *weights, report).to_string();
    out += std::to_string(report.loaded) + " of " + std::to_string(memory.size()) + " entries " +
           (result ? "would be loaded\n" : "fit; it would not load\n");
    return write_out(out) && result ? kDone : kRefused;
  }

  // A text of several lines, each escaped, tabs as blanks.
  static std::string lines(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      if (line.starts_with('\t')) out += "    ", line.remove_prefix(1);
      out += printable(line) + "\n";
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
  }
};

}  // namespace

void add_match(CLI::App& app, Run& run) {
  auto m = std::make_shared<Match>();
  CLI::App* command = app.add_subcommand("match", "would load_state_dict of these weights into that model work?");
  command->add_option("MODEL", m->model_file, "the model: saved whole, or its weights")->required();
  command->add_option("WEIGHTS", m->weights_file, "the weights to load into it")->required();
  command->add_flag("--no-strict", m->no_strict, "as load_state_dict(…, strict=False)");
  command->add_option("--at-model", m->at_model, "where the model is in its file, as ls --all prints it");
  command->add_option("--at-weights", m->at_weights, "where the weights are in theirs");
  command->add_option("--name", m->model_name, "the model's class name in the message");
  command->add_flag("--weights-only", m->weights_only, "refuse what torch.load(weights_only=True) refuses");
  command->add_flag("--no-mmap", m->plain, "read the files instead of mapping them");
  command->footer(
      "Prints PyTorch's result or error, and what the keys might have meant. Status: 0 it would load, 1 it would not, 2 wrong usage.\n"
      "Examples:\n  brine match whole_model.pth only_weights.pth\n  brine match model.pth pretrained.pth --no-strict --at-weights ema");
  command->callback([m, &run] { run = [m] { return m->run(); }; });
}

}  // namespace tool
