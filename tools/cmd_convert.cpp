// SPDX-License-Identifier: MIT
// brine convert: saves a checkpoint again, whole or its weights, edited on the way.
#include "common.hpp"
#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace tool {

namespace {

struct Convert {
  Common common;
  std::string out, profile, cast, strip_prefix, add_prefix, key;
  std::vector<std::string> only, drop, rename;
  bool as_read = false, compact = false, force = false, no_crc = false, fsync = false;
  int protocol = 0;
  CLI::Option* state_dict = nullptr;

  bool edits() const { return !cast.empty() || !strip_prefix.empty() || !add_prefix.empty() || !only.empty() || !drop.empty() || !rename.empty(); }

  int run() const {
    std::error_code ignored;
    if (!force && std::filesystem::is_regular_file(out, ignored)) return fail(out + ": the file exists; --force replaces it");
    const auto ckpt = common.open();
    if (!ckpt) return fail(ckpt.error());
    const auto options = save_options(*ckpt);
    brine::Result<void> saved;
    if (state_dict->count() > 0 || edits()) {
      auto weights = ckpt->state_dict(common.at.empty() || key.empty() ? common.at + key : common.at + "." + key);
      if (!weights) return fail(weights.error());
      if (auto ok = edit(*weights); !ok) return fail(std::move(ok).error().in_file(common.file));
      saved = brine::save(*weights, out, options);
      if (saved)
        for (const brine::Note& n : weights->notes()) std::fprintf(stderr, "note: %s\n", printable(n.text).c_str());
    } else {
      const brine::Value from = ckpt->at(common.at);
      if (!from.exists()) return fail(common.file + ": there is no place " + common.at);
      saved = brine::save(from, out, options);
    }
    return saved ? int{kDone} : fail(saved.error());
  }

  brine::SaveOptions save_options(const brine::Checkpoint& ckpt) const {
    brine::SaveOptions options = as_read ? brine::SaveOptions::as_read(ckpt) : brine::SaveOptions{};
    if (out == "/dev/stdout" && !as_read) options.root = "archive";  // as torch.save to a stream
    if (profile == "torch-1.6") options.profile = brine::Profile::torch_1_6;
    if (profile == "torch-2.1") options.profile = brine::Profile::torch_2_1;
    if (profile == "torch-2.7") options.profile = brine::Profile::torch_2_7;
    if (protocol) options.protocol = protocol;
    options.compact = compact;
    options.fsync = fsync;
    if (no_crc) options.crc = false;
    options.progress = Progress();
    return options;
  }

  static void unused(const char* option, const std::string& what) {
    std::fprintf(stderr, "note: %s '%s' matches no weight\n", option, printable(what).c_str());
  }

  brine::Result<void> edit(brine::StateDict& weights) const {
    for (const auto& [option, globs] : {std::pair("--only", &only), std::pair("--drop", &drop)})
      for (const std::string& glob : *globs)
        if (std::none_of(weights.begin(), weights.end(), [&](const auto& w) { return brine::matches_glob(glob, w.name); })) unused(option, glob);
    const bool any = !weights.empty();
    if (!only.empty()) weights.keep(only);
    if (!drop.empty()) weights.drop(drop);
    if (any && weights.empty()) return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::missing_key, "--only and --drop leave no weight");
    if (!strip_prefix.empty() && weights.strip_prefix(strip_prefix) == 0) unused("--strip-prefix", strip_prefix);
    if (!add_prefix.empty()) weights.add_prefix(add_prefix);
    if (!rename.empty()) {
      const auto done = brine::remap_keys(weights, rename);
      if (!done) return done.error();
      for (std::size_t i = 0; i < rename.size(); ++i)
        if (done->matches[i] == 0) unused("--rename", rename[i]);
    }
    if (!cast.empty()) return weights.cast(*brine::dtype_from_text(cast));
    return {};
  }
};

std::string check_rule(const std::string& rule) {
  brine::StateDict nothing;
  const auto done = brine::remap_keys(nothing, std::span(&rule, 1));
  return done ? "" : done.error().text();
}

std::string check_dtype(const std::string& dtype) { return brine::dtype_from_text(dtype) ? "" : "there is no dtype " + dtype + "; such are float16, bfloat16, float32, fp16, bf16"; }

}  // namespace

void add_convert(CLI::App& app, Run& run) {
  auto c = std::make_shared<Convert>();
  CLI::App* command = app.add_subcommand("convert", "save again: legacy to zip, a whole model to its weights, keys renamed, dropped, cast");
  c->common.add_to(*command);
  command->add_option("OUT", c->out, "the new file; - is standard output")->required()->transform(stream("/dev/stdout"));
  command->add_option("--profile", c->profile, "whose torch.save to follow (torch-2.7 is today's)")->check(CLI::IsMember({"torch-1.6", "torch-2.1", "torch-2.7"}));
  command->add_flag("--as-read", c->as_read, "keep root, keys, order and alignment of the source file");
  command->add_flag("--compact", c->compact, "of each storage write only what its tensors view");
  c->state_dict = command->add_option("--state-dict", c->key, "only the weights: of a whole model, or of the checkpoint that holds them, under KEY if that is given")
                      ->expected(0, 1)->option_text("[KEY]");
  command->add_option("--cast", c->cast, "convert the floating-point weights to this dtype")->check(check_dtype);
  command->add_option("--only", c->only, "keep only weights whose name matches the glob")->allow_extra_args(false);
  command->add_option("--drop", c->drop, "leave out weights whose name matches the glob")->allow_extra_args(false);
  command->add_option("--rename", c->rename, "s/old/new/ in the names: * is a part of a name, ^ and $ its ends, \\1 what the first star matched")->check(check_rule)->allow_extra_args(false);
  command->add_option("--strip-prefix", c->strip_prefix, "take this off the names: module.");
  command->add_option("--add-prefix", c->add_prefix, "put this before the names");
  command->add_option("--protocol", c->protocol, "pickle protocol, 1 to 5")->check(CLI::Range(1, 5));
  command->add_flag("--no-crc", c->no_crc, "write no CRCs");
  command->add_flag("--fsync", c->fsync, "wait until the file is on the disk");
  command->add_flag("--force", c->force, "replace OUT if it exists");
  command->footer("Examples:\n  brine convert legacy.pth modern.pth\n  brine convert whole_model.pth weights.pth --state-dict\n"
                  "  brine convert ckpt.pt ema.pt --state-dict ema --cast float16\n  brine convert ddp.pt plain.pt --strip-prefix module. --drop '*.num_batches_tracked'");
  command->callback([c, &run] { run = [c] { return c->run(); }; });
}

}  // namespace tool
