// SPDX-License-Identifier: MIT
// load_state_dict: a checkpoint's weights into the caller's own memory, by PyTorch's rules and with PyTorch's words.
//
//   brine::Parameters mine;                                        // the engine's memory, by name
//   mine.add("fc.weight", std::span(w), {10, 4});
//   auto report = brine::load_state_dict(mine, *weights, {.strict = false});
//   if (!report) return fail(report.error().text());               // "Error(s) in loading state_dict for …", byte for byte
//   use(report->missing_keys, report->unexpected_keys);            // PyTorch's, in its order
//
// What is ours: skip_mismatched, validate_first and dry_run, suggest(), and that an Error carries the report (Error::found<LoadReport>()).
#pragma once

#include <brine/parameters.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brine {

struct LoadStateDictOptions {
  bool strict = true;            ///< missing and unexpected keys are an error
  bool assign = false;           ///< entries take the checkpoint's tensors (Parameters::assigned) instead of copies; no byte is written
  /// As PyTorch: assign, whatever `assign` says, to each module whose metadata in the file has a true `assign_to_params_buffers`, as it is
  /// saved from a dict that was loaded with assign=True. Not the default: a file would decide whether your memory is filled.
  bool assign_as_saved = false;
  bool skip_mismatched = false;  ///< ours: an entry of another shape is left alone and reported, no error
  /// Ours: all or nothing. PyTorch (and brine by default) copies what it can, then raises; with this nothing is written when there is
  /// an error to come. Only a read that fails later (io, a damaged record) can leave the memory half written.
  bool validate_first = false;
  bool dry_run = false;          ///< ours: the report or error as without, and nothing is written or assigned; meta entries count as memory
  std::string model_name = "Module";  ///< X of "Error(s) in loading state_dict for X:"
};

/// What load_state_dict found.
struct LoadReport {
  static constexpr std::string_view kFound = "LoadReport";  ///< Error::found

  /// What kept one entry from being loaded.
  struct Problem {
    ErrorCode code = ErrorCode::size_mismatch;  ///< size_mismatch, not_a_tensor, copy_refused, unexpected_running_stats
    std::string key;                            ///< of the entry; of running stats: the module's name
    std::string text;                           ///< PyTorch's sentence
    std::vector<std::int64_t> model_shape, checkpoint_shape;
  };

  std::vector<std::string> missing_keys, unexpected_keys;
  std::vector<Problem> problems;              ///< in the order of the error's text
  std::vector<Problem> skipped;               ///< what skip_mismatched left alone
  std::vector<std::string> extra_state_keys;  ///< expected and there: StateDict::others() or find() has the value, for the caller to take
  std::uint64_t loaded = 0;                   ///< entries that were copied or assigned (with dry_run: would be)

  bool all_matched() const noexcept { return missing_keys.empty() && unexpected_keys.empty(); }

  /// As PyTorch's result prints: "<All keys matched successfully>", "_IncompatibleKeys(missing_keys=['a'], unexpected_keys=[])".
  BRINE_API std::string to_string() const;
};

/// Puts the state dict's tensors into `model`, as torch.nn.Module.load_state_dict does: element-wise, converted to each entry's dtype as
/// copy_ converts (convert.hpp), into its strides; a tensor of one element and one dimension fits a 0-d entry; nothing is broadcast. Rules
/// for norms ask for `_metadata` versions (StateDict::version).
///
/// Fails with: usage — key_mismatch, size_mismatch, not_a_tensor, copy_refused, unexpected_running_stats: the text is PyTorch's, keys in it
/// raw (Error::message() escapes them), and Error::found<LoadReport>() has the report; copies made before stay, unless validate_first. usage without
/// a report, and nothing is written — Parameters::fault(); what PyTorch raises at once: not_a_tensor (no tensor for a lazy entry),
/// copy_refused (a lazy module's tensor for an entry that has a shape), bad_argument (spectral_norm's tensors do not go together).
/// io, corrupt, limit: as Tensor::copy_to(); the path names the entry; entries before it are written.
BRINE_API Result<LoadReport> load_state_dict(Parameters& model, const StateDict& state, const LoadStateDictOptions& options = {});

/// "Did you mean": what could make missing and unexpected keys meet.
struct Suggestions {
  /// A rule for remap_keys (`--rename`).
  struct Rename {
    std::string rule;         ///< "s/layers.*.attention.self./blocks.\1.attn./"
    std::size_t matches = 0;  ///< missing keys that it finds, after those before it
  };
  /// A missing key whose tensor in the model is that of another key, which is there: tied weights, saved once.
  struct Tied {
    std::string missing, present;
  };
  enum class Why : std::uint8_t { similar_name, same_shape };
  struct Pair {
    std::string missing, unexpected;
    Why why;
    bool shapes_agree;
  };
  std::string strip_prefix;            ///< the checkpoint's keys carry it ("module."): StateDict::strip_prefix
  std::string add_prefix;              ///< they lack it: StateDict::add_prefix
  std::size_t prefix_matches = 0;      ///< missing keys that either of these would find
  /// All of them, in this order, are what remap_keys takes and makes keys meet; the prefix is the first where there is one.
  std::vector<Rename> renames;
  std::vector<Tied> tied;              ///< at most 100
  std::vector<Pair> pairs;             ///< other missing keys, each with its nearest unexpected one; at most 100
  bool empty() const noexcept { return prefix_matches == 0 && renames.empty() && tied.empty() && pairs.empty(); }
  /// One line for each, escaped; empty when there is none.
  BRINE_API std::string to_string() const;
};

/// Looks for a prefix, then for rules that explain many keys at once (torch.compile's `_orig_mod.`, gamma and beta, whatever the names tell),
/// for tied weights, and last for the nearest name, or the only key of the same shape. Names with different numbers ("layer1.0.x" and
/// "layer2.0.x") are never paired. The cost is bounded, whatever the keys.
BRINE_API Suggestions suggest(const Parameters& model, const StateDict& state, const LoadReport& report);

}  // namespace brine
