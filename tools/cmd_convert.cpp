// SPDX-License-Identifier: MIT
// brine convert: saves a checkpoint again, whole or its weights, edited on the way.
#include "common.hpp"
#include "left_out.hpp"
#include "name_edits.hpp"
#include "progress.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace tool {

namespace {

/// The format that a file of this name has elsewhere, or nothing.
std::string other_format(const std::string& path) {
  constexpr std::string_view kinds[] = {".safetensors", ".npz", ".npy",    ".gguf",    ".ggml",    ".onnx", ".h5",  ".hdf5",
                                        ".keras",       ".pb",  ".tflite", ".msgpack", ".mlmodel", ".mar",  ".json"};
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(std::begin(kinds), std::end(kinds), extension) == std::end(kinds) ? "" : extension;
}

constexpr const char* kStdout = "/dev/stdout";

/// What is open already is written to, not replaced.
bool is_descriptor(const std::string& path) { return path == kStdout || path == "/dev/stderr" || path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/"); }

bool is_number(brine::DType dtype) { return brine::is_floating(dtype) || brine::is_complex(dtype); }

// Ctrl-C leaves the old file and no temporary one; the second time it ends the program at once.
volatile std::sig_atomic_t signalled = 0;
void on_signal(int number) {
  signalled = number;
  std::signal(number, SIG_DFL);
}

struct Convert {
  Common common;
  std::string out, profile, cast, key;
  NameEdits names;
  std::vector<std::string> keep_at, drop_at;
  bool as_read = false, compact = false, force = false, no_crc = false, no_verify = false, fsync = false;
  int protocol = 0;
  CLI::Option* state_dict = nullptr;

  brine::DType dtype() const { return *brine::dtype_from_text(cast); }

  int run() const {
    if (out.empty()) return fail_usage("expected a name for the new file, found ''");
    if (refuse_terminal("a checkpoint", out)) return kUsage;
    if (const std::string format = other_format(out); !format.empty())
      return fail(out, "brine writes PyTorch's zip format, and no " + format + " yet; a name that ends in .pth or .pt says what the file is");
    std::error_code ignored;
    if (!force && !is_descriptor(out) && std::filesystem::is_regular_file(out, ignored)) return fail(out, "the file exists; --force replaces it");
    if (!cast.empty() && !is_number(dtype()) && !force) return fail("", "--cast " + cast + " would cut the fraction off every weight; with --force it does");
    const auto ckpt = common.open();
    if (!ckpt) return fail(ckpt.error());
    const brine::Value from = ckpt->at(common.at);
    if (!from.exists()) return fail(no_place(common.file, common.at));
    LeftOut left;
    const brine::CastReport report;
    auto done = state_dict->count() > 0 ? save_weights(*ckpt, report, left) : save_edited(*ckpt, from, report, left);
    if (signalled != 0 && !done) return std::raise(signalled);
    if (!done) return fail(done.error().place().file.empty() ? std::move(done).error().in_file(common.file) : std::move(done).error());
    left.add_of_file(*ckpt);
    tell_kept(report, left);
    left.print();
    if (const std::string cost = cost_of(report); !cost.empty()) std::fprintf(stderr, "note: %s\n", cost.c_str());
    return kDone;
  }

  /// The weights alone.
  brine::Result<void> save_weights(const brine::Checkpoint& ckpt, const brine::CastReport& report, LeftOut& left) const {
    auto weights = weights_of(ckpt, common.at.empty() || key.empty() ? common.at + key : common.at + "." + key);
    if (!weights) return weights.error();
    left.add_around(ckpt, std::string(weights->path()));
    if (weights->from_module()) left.add_of_module(ckpt, *weights);
    if (auto ok = names.apply(*weights, left); !ok) return ok.error();
    if (!cast.empty())
      if (auto ok = weights->cast(dtype(), {.lossy = force, .report = report}); !ok) return ok;
    if (auto ok = brine::save(*weights, out, save_options(ckpt)); !ok) return ok;
    tell_notes(*weights, left);
    return {};
  }

  /// The whole of `from`, weights edited where they stand.
  brine::Result<void> save_edited(const brine::Checkpoint& ckpt, const brine::Value& from, const brine::CastReport& report, LeftOut& left) const {
    brine::Edits edits(ckpt, from);
    left.add_around(ckpt, common.at);
    if (!names.empty() || !cast.empty())
      if (auto ok = edit_weights(ckpt, from, edits, report, left); !ok) return ok;
    if (!keep_at.empty())
      if (auto ok = edits.keep(keep_at); !ok) return ok;
    if (auto ok = edits.erase(drop_at); !ok) return ok;
    left.add(edits);
    return brine::save(edits, out, save_options(ckpt));
  }

  brine::Result<void> edit_weights(const brine::Checkpoint& ckpt, const brine::Value& from, brine::Edits& edits, const brine::CastReport& report, LeftOut& left) const {
    auto weights = weights_of(ckpt, common.at);
    if (!weights && names.empty() && weights.error().kind() == brine::ErrorKind::usage && has_numbers(ckpt, from)) {
      left.note("there are no weights by themselves" + (common.at.empty() ? "" : " at " + common.at) + ": every floating-point tensor is cast");
      return edits.cast("", dtype(), {.everywhere = true, .lossy = force, .report = report});
    }
    if (!weights) return weights.error();
    std::string place(weights->path().substr(common.at.size()));
    if (!common.at.empty() && !place.empty()) place.erase(0, 1);
    if (!names.empty()) {
      for (const auto* paths : {&drop_at, &keep_at})
        for (const std::string& path : *paths)
          if (path != place && (place.empty() || path.starts_with(place + ".")))
            return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::bad_argument,
                                "the place " + path + " is a part of the weights whose names are edited; --drop and --only choose among those");
      const brine::StateDict before = *weights;
      const auto changed = names.apply(*weights, left);
      if (!changed) return changed.error();
      if (!*changed) return cast.empty() ? brine::Result<void>() : edits.cast(place, dtype(), {.lossy = force, .report = report});
      if (weights->from_module()) {
        left.add_of_module(ckpt, before);
        left.note("the module" + (place.empty() ? "" : " at " + place) + " becomes its state dict");
        tell_notes(*weights, left);
      }
      if (auto ok = edits.set(place, *weights); !ok) return ok;
    }
    if (cast.empty()) return {};
    return edits.cast(place, dtype(), {.lossy = force, .report = report});
  }

  static void tell_notes(const brine::StateDict& weights, LeftOut& left) {
    for (const brine::Note& n : weights.notes())
      if (n.code != brine::Note::Code::part_of_file) left.note(n.text);  // what is left out says it
  }

  static bool has_numbers(const brine::Checkpoint& ckpt, const brine::Value& from) {
    const auto tensors = ckpt.tensors(from);
    return std::any_of(tensors.begin(), tensors.end(), [](const auto& at) { return is_number(at.tensor.dtype()); });
  }

  brine::SaveOptions save_options(const brine::Checkpoint& ckpt) const {
    brine::SaveOptions options = as_read ? brine::SaveOptions::as_read(ckpt) : brine::SaveOptions{};
    if (out == kStdout && !as_read) options.root = "archive";  // as torch.save to a stream
    if (profile == "torch-1.6") options.profile = brine::Profile::torch_1_6;
    if (profile == "torch-2.1") options.profile = brine::Profile::torch_2_1;
    if (profile == "torch-2.7") options.profile = brine::Profile::torch_2_7;
    if (protocol) options.protocol = protocol;
    options.compact = compact;
    options.fsync = fsync;
    options.verify = !no_verify;
    if (no_crc) options.crc = false;
    options.progress = Progress();
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, on_signal);
    options.cancelled = [] { return signalled != 0; };
    return options;
  }

  static void tell_kept(const brine::CastReport& report, LeftOut& left) {
    for (const auto& [kind, count, first] : report.kept()) {
      std::string text = std::to_string(count) + " " + std::string(kind == "other" ? "special" : kind) + (count == 1 ? " weight stays as it is" : " weights stay as they are");
      if (kind == "complex") {
        left.note(text + "; --force gives up the imaginary parts");
        continue;
      }
      for (std::size_t i = 0; i < first.size(); ++i) text += (i ? ", " : ": ") + first[i];
      left.note(text + (count > first.size() ? " and more" : ""));
    }
  }

  std::string cost_of(const brine::CastReport& report) const {
    if (cast.empty()) return {};
    if (report.tensors() == 0) return "--cast " + cast + " changes no weight";
    const std::string_view type = brine::name(dtype());
    const bool infinity = type.find("fnuz") == type.npos && type.find("e4m3") == type.npos && type.find("e8m0") == type.npos;
    std::string text;
    const auto add = [&](std::uint64_t count, const char* what) {
      if (count == 0) return;
      if (text.empty()) text = std::to_string(count) + (count == 1 ? " value became " : " values became ") + what;
      else text += ", " + std::to_string(count) + " became " + what;
    };
    add(report.infinite(), infinity ? "inf" : "NaN");
    add(report.clamped(), "the largest or least that the type has");
    add(report.zero(), "0");
    return text;
  }
};

}  // namespace

void add_convert(CLI::App& app, Run& run) {
  auto c = std::make_shared<Convert>();
  CLI::App* command = app.add_subcommand("convert", "save again: legacy to zip, a whole model to its weights, keys renamed, dropped, cast");
  c->common.add_to(*command);
  command->add_option("OUT", c->out, "the new file; - is standard output")->required()->transform(stream(kStdout));
  command->add_option("--profile", c->profile, "whose torch.save to follow: torch-1.6, torch-2.1 or torch-2.7 (today's)")
      ->check(one_of({"torch-1.6", "torch-2.1", "torch-2.7"}))
      ->option_text("RELEASE");
  command->add_flag("--as-read", c->as_read, "keep root, keys, order, alignment and old calls of the source file, instead of today's");
  command->add_flag("--compact", c->compact, "of each storage write only what its tensors view");
  c->state_dict = command->add_option("--state-dict", c->key, "write the weights alone: of a whole model, or of the checkpoint that holds them, under KEY if that is given")
                      ->expected(0, 1)->option_text("[KEY]");
  command->add_option("--cast", c->cast, "convert the floating-point weights to this dtype (float16, bf16, torch.float32 …), where they stand")
      ->check(check_dtype)
      ->option_text("DTYPE");
  const auto several = [&](const char* name, std::vector<std::string>& values, const char* kind, const char* help) {
    return command->add_option(name, values, help)->allow_extra_args(false)->option_text(kind);
  };
  c->names.add_to(*command);
  several("--keep-at", c->keep_at, "PATH", "keep only this place of the tree, and what leads there; once for each place")->excludes(c->state_dict);
  several("--drop-at", c->drop_at, "PATH", "leave out this place of the tree: optimizer; once for each place")->excludes(c->state_dict);
  command->add_option("--protocol", c->protocol, "pickle protocol, 1 to 5")->check(check_protocol);
  command->add_flag("--no-crc", c->no_crc, "write no CRCs");
  command->add_flag("--no-verify", c->no_verify, "copy weights without holding them against the CRCs of FILE");
  command->add_flag("--fsync", c->fsync, "wait until the file is on the disk");
  command->add_flag("--force", c->force, "replace OUT if it exists; cast where that gives up fractions or imaginary parts");
  command->footer("Weights are edited where they stand, and the rest of FILE is kept; --state-dict writes them alone, --at another part. A whole model becomes\n"
                  "its state dict when names are edited, and stays a model when it is cast. What is left out is named on standard error.\n"
                  "--only, --drop, --rename, --strip-prefix and --add-prefix are taken in the order of the line, each on the names that those before it left;\n"
                  "--only and --drop that stand together choose at once. Before all of them the names are those of brine ls.\n\n"
                  "Examples:\n  brine convert legacy.pth modern.pth\n  brine convert whole_model.pth weights.pth --state-dict\n"
                  "  brine convert ckpt.pt half.pt --cast float16 --drop-at optimizer\n  brine convert ckpt.pt ema.pt --state-dict ema --cast bf16\n"
                  "  brine convert ddp.pt plain.pt --strip-prefix module. --drop '*.num_batches_tracked' --drop 'head.*'");
  command->callback([c, command, &run] {
    c->names.take(*command);
    run = [c] { return c->run(); };
  });
}

}  // namespace tool
