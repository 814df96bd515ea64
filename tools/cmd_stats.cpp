// SPDX-License-Identifier: MIT
// brine stats: least, greatest and mean of each tensor of the state dict, and how many elements are NaN or infinite.
#include "common.hpp"
#include "json.hpp"
#include "listing.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "rereads.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace tool {

namespace {

using Number = brine::TensorStats::Number;

struct Row {
  std::string_view name;
  const brine::Tensor* tensor;
  brine::TensorStats stats;
};

/// A tensor that is kept as an object.
struct Unread {
  std::string_view name, kind;
};

std::string text(const std::optional<Number>& number) {
  if (!number) return "-";
  if (const auto* v = std::get_if<std::int64_t>(&*number)) return std::to_string(*v);
  if (const auto* v = std::get_if<std::uint64_t>(&*number)) return std::to_string(*v);
  char out[32];
  std::snprintf(out, sizeof out, "%.6g", std::get<double>(*number));
  return out;
}

struct Stats {
  Common common;
  std::vector<std::string> globs;
  bool all = false, json = false;

  int run() const {
    const auto ckpt = common.open();
    if (!ckpt) return fail(ckpt.error());
    std::vector<Row> rows;
    std::vector<Unread> unread;
    std::uint64_t total = 0, done = 0;
    const auto wanted = [&](std::string_view name) {
      return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const auto& g) { return brine::matches_glob(g, name); });
    };
    const auto add = [&](std::string_view name, const brine::Tensor& tensor) {
      if (!wanted(name)) return;
      if (tensor.is_meta()) return unread.push_back({name, "meta"});
      if (tensor.is_nested()) return unread.push_back({name, "nested"});
      rows.push_back({name, &tensor, {}});
      total += tensor.nbytes();
    };
    brine::StateDict weights;
    bool root = false;  // of the tree, where it is a tensor, the name is ""
    std::vector<brine::TensorAt> found;
    std::deque<std::string> paths;
    bool whole = true;
    if (all) {
      const brine::Value from = ckpt->at(common.at);
      if (!from.exists()) return fail(no_place(common.file, common.at));
      root = from.kind() == brine::Kind::tensor;
      found = ckpt->tensors(from);
      whole = spell_paths(*ckpt, found, paths);
      for (std::size_t i = 0; i < found.size(); ++i) add(paths[i], found[i].tensor);
    } else {
      auto state = weights_of(*ckpt, common.at);
      if (!state) return fail(state.error());
      weights = std::move(*state);
      for (const auto& [name, tensor] : weights) add(name, tensor);
      for (const auto& [name, value] : weights.others())
        if (const auto kind = brine::kept_tensor_kind(value); !kind.empty() && wanted(name)) unread.push_back({name, kind});
    }
    if (rows.empty() && unread.empty() && !globs.empty())
      return fail(brine::Error(brine::ErrorKind::usage, brine::ErrorCode::missing_key,
                               "no tensor matches " + globs[0] + (globs.size() > 1 ? " or the other patterns" : "") +
                                   (all ? "; brine ls --all lists them" : "; brine ls lists them"))
                      .in_file(common.file));
    if (json && !whole) return refuse_json(most_output(*ckpt), common.file), kRefused;
    const Progress progress;
    Rereads rereads;
    for (const Row& row : rows)
      if (auto ok = rereads.add(*row.tensor); !ok) return fail(std::move(ok).error().in_file(common.file).at_path(row.name));
    for (Row& row : rows) {
      const std::uint64_t item = brine::item_size(row.tensor->dtype());
      auto stats = brine::stats(*row.tensor, [&](std::uint64_t elements) { progress(done += elements * item, total); });
      if (!stats) return fail(std::move(stats).error().in_file(common.file).at_path(row.name));
      row.stats = std::move(*stats);
    }
    return (json ? print_json(*ckpt, all ? common.at : std::string(weights.path()), rows, unread) : print(*ckpt, rows, unread, root)) ? kDone : kRefused;
  }

  static bool print(const brine::Checkpoint& ckpt, const std::vector<Row>& rows, const std::vector<Unread>& unread, bool root) {
    Output out(most_output(ckpt));
    add_table(out, rows.size() + 1, [&](std::size_t i) {
      if (i == 0) return Cells{"name", "dtype", "shape", "min", "max", "mean", "NaN", "Inf"};
      const Row& row = rows[i - 1];
      const brine::TensorStats& s = row.stats;
      return Cells{row.name.empty() ? (root ? "(the root)" : "''") : cell(row.name),
                   dtype_text(*row.tensor),
                   shape_text(row.tensor->shape()),
                   text(s.min),
                   text(s.max),
                   text(s.mean),
                   std::to_string(s.nan),
                   std::to_string(s.inf)};
    }, "   rrrrr");
    std::uint64_t elements = 0, nan = 0, inf = 0, odd = 0;
    bool is_complex = false, sparse = false, quantised = false;
    for (const Row& row : rows) {
      elements += static_cast<std::uint64_t>(row.tensor->numel());
      nan += row.stats.nan;
      inf += row.stats.inf;
      odd += row.stats.nan + row.stats.inf > 0;
      is_complex |= brine::is_complex(row.tensor->dtype());
      sparse |= row.tensor->is_sparse();
      quantised |= row.tensor->is_quantized();
    }
    std::string end = std::to_string(rows.size()) + (rows.size() == 1 ? " tensor, " : " tensors, ") + std::to_string(elements) + " elements" +
                      (rows.empty() ? ""
                       : odd == 0   ? ": all finite"
                                    : ": " + std::to_string(nan) + " NaN and " + std::to_string(inf) + " Inf in " + std::to_string(odd) +
                                        (odd == 1 ? " tensor" : " tensors")) +
                      "\n";
    if (!unread.empty()) end += "not looked at: " + told(unread) + "\n";
    if (is_complex) end += "of complex tensors: the magnitudes\n";
    if (sparse) end += "of sparse tensors: the values that they name\n";
    if (quantised) end += "of quantised tensors: the numbers that their integers stand for\n";
    return out.close(end);
  }

  static std::string told(const std::vector<Unread>& unread) {
    constexpr std::size_t max = 20;
    std::string out;
    for (std::size_t i = 0; i < std::min(max, unread.size()); ++i) out += (i ? ", " : "") + cell(unread[i].name) + " (" + std::string(unread[i].kind) + ")";
    return out + (unread.size() > max ? " and " + std::to_string(unread.size() - max) + " more tensors" : "");
  }

  bool print_json(const brine::Checkpoint& ckpt, const std::string& at, const std::vector<Row>& rows, const std::vector<Unread>& unread) const {
    std::uint64_t nan = 0, inf = 0;
    for (const Row& row : rows) nan += row.stats.nan, inf += row.stats.inf;
    return write_json(most_output(ckpt), common.file, [&](JsonWriter& out) {
      out.object().field("file", common.file).field("format", name(ckpt.format())).field("at", at).key("tensors").array();
      for (const auto& [name, tensor, s] : rows) {
        out.object().field("name", name).field("dtype", brine::name(tensor->dtype())).field("shape", tensor->shape()).field("numel", tensor->numel());
        if (tensor->is_sparse()) out.field("layout", brine::name(tensor->layout()));  // of these the values
        for (const auto& [word, number] : {std::pair("min", &s.min), std::pair("max", &s.max)}) {
          out.key(word);
          if (*number) std::visit([&](auto v) { out.value(v); }, **number);
          else out.value(nullptr);
        }
        out.field("mean", s.mean).field("nan", s.nan).field("inf", s.inf).end();
        if (!out.ok()) return;
      }
      out.end();
      if (!unread.empty()) {
        out.key("not_looked_at").array();
        for (const Unread& u : unread) out.object().field("name", u.name).field("kind", u.kind).end();
        out.end();
      }
      out.field("nan", nan).field("inf", inf).end();
    });
  }
};

}  // namespace

void add_stats(CLI::App& app, Run& run) {
  auto s = std::make_shared<Stats>();
  CLI::App* command = app.add_subcommand("stats", "least, greatest and mean of each tensor, and how many elements are NaN or infinite");
  s->common.add_to(*command);
  command->add_option("GLOB", s->globs, "only tensors whose name matches one of these: 'layer1.*'");
  command->add_flag("--all", s->all, "every tensor of the file, by its path in the object tree");
  command->add_flag("--json", s->json, "for programs");
  command->footer(
      "Of the finite elements; of complex tensors, of the magnitudes. Of quantised tensors, of the numbers that their integers stand for; of sparse "
      "ones, of the values they name. Meta and nested tensors are named, and not looked at.\nExamples:\n  brine stats model.pth\n  brine stats "
      "checkpoint.pt --at ema '*.bias' --json");
  command->callback([s, &run] { run = [s] { return s->run(); }; });
}

}  // namespace tool
