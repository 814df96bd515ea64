// SPDX-License-Identifier: MIT
// brine ls: the state dict, or every tensor and array, as a table or as JSON.
#include "common.hpp"
#include "json.hpp"
#include "listing.hpp"
#include "output.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>

namespace tool {

namespace {

std::string hex8(std::uint32_t crc) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc));
  return text;
}

// A value that is no tensor.
std::string what_text(const brine::Value& value) {
  const auto d = brine::DTensor::of(value);
  if (!d) return cell(value.type_name());
  std::string out = "DTensor: a shard " + shape_text(d->local.shape()) + " of " + shape_text(d->shape);
  for (const std::string& placement : d->placements) out += ", " + cell(placement);
  return out;
}

std::string counted(std::uint64_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

struct Ls {
  Common common;
  bool all = false, crc = false, json = false, human = false;
  std::string sort = "file";
  std::size_t by_prefix = 0;
  std::vector<std::string> words;

  int run() const {
    std::vector<std::string> files{common.file}, globs;
    for (const std::string& word : words) {
      std::error_code ignored;
      (std::filesystem::exists(word, ignored) ? files : globs).push_back(word);
    }
    int status = kDone;
    for (const std::string& file : files) {
      if (files.size() > 1 && !json && !write_out((&file == &files[0] ? "" : "\n") + printable(file) + ":\n", false)) return kRefused;
      status = std::max(status, list(file, globs));
    }
    return status;
  }

  int list(const std::string& file, const std::vector<std::string>& globs) const {
    const auto ckpt = brine::load(file, common.load_options());
    if (!ckpt) return fail(ckpt.error());
    auto list = Listing::of(*ckpt, common.at, all);
    if (!list) return fail(list.error());
    if (auto ok = list->keep(globs); !ok) return fail(ok.error());
    list->sort(sort);
    if (crc)
      if (auto ok = list->compute_crcs(!common.plain); !ok) return fail(ok.error());
    if (json) return print_json(*list, file) ? kDone : kRefused;
    return print(*list) ? kDone : kRefused;
  }

  std::string size_text(std::uint64_t bytes) const { return human ? human_bytes(bytes) : std::to_string(bytes); }
  // In a state dict "" is a key like others; in the tree it is the root where that is no container.
  static std::string name_text(const Listing& list, std::string_view name) { return !name.empty() ? cell(name, 4096) : list.root_is_tensor ? "(the root)" : "''"; }

  void add_rows(Output& out, const Listing& list) const {
    add_table(out, list.rows.size() + list.arrays.size(), [&](std::size_t i) {
      Cells cells;
      std::optional<std::uint32_t> value;
      if (i < list.rows.size()) {
        const Listing::Row& row = list.rows[i];
        cells = {name_text(list, row.name), dtype_text(row.tensor), row.tensor.is_nested() ? "?" : shape_text(row.tensor.shape()), size_text(bytes_of(row.tensor))};
        value = row.crc;
      } else {
        const Listing::ArrayRow& row = list.arrays[i - list.rows.size()];
        const auto array = brine::Array::of(row.value);
        if (!array) cells = {name_text(list, row.name), "numpy", "?", "unreadable"};
        else cells = {name_text(list, row.name), "numpy " + std::string(array->dtype()), shape_text(array->shape()), size_text(array->nbytes())};
        value = row.crc;
      }
      if (crc) cells.push_back(value ? hex8(*value) : "");
      return cells;
    }, "   r");
  }

  void add_prefixes(Output& out, const Listing& list) const {
    const auto totals = totals_by_prefix(list, by_prefix);
    add_table(out, totals.size(), [&](std::size_t i) {
      const auto& [prefix, t] = totals[i];
      return Cells{name_text(list, prefix), counted(t.tensors, "tensor"), counted(t.elements, "element"), size_text(t.bytes) + (human ? "" : " bytes")};
    }, " rrr");
  }

  bool print(const Listing& list) const {
    Output table(most_output(list.checkpoint));
    by_prefix ? add_prefixes(table, list) : add_rows(table, list);
    const Totals t = totals_of(list);
    const brine::Checkpoint& ckpt = list.checkpoint;
    std::string out = counted(t.tensors, "tensor") + ", " + counted(t.elements, "element") + ", " + human_bytes(t.bytes) + " in " + counted(t.storages, "storage");
    if (!list.arrays.empty()) out += ", " + counted(list.arrays.size(), "numpy array");
    out += " (" + std::string(name(ckpt.format())) + ", pickle protocol " + std::to_string(ckpt.protocol()) + (list.at.empty() || all ? "" : ", at " + cell(list.at)) + ")\n";
    constexpr std::size_t kNamed = 5;
    for (std::size_t i = 0; i < std::min(list.others.size(), kNamed); ++i)
      out += (i ? ", " : "other values: ") + cell(list.others[i].first) + " (" + what_text(list.others[i].second) + ")";
    if (list.others.size() > kNamed) out += " and " + std::to_string(list.others.size() - kNamed) + " more";
    if (!list.others.empty()) out += "\n";
    for (const brine::Note& n : list.notes) out += "note: " + printable(n.text) + "\n";
    return table.close(out);
  }

  bool print_json(const Listing& list, const std::string& file) const {
    const std::uint64_t max = most_output(list.checkpoint);
    if (!list.whole_paths) return refuse_json(max, file);
    return write_json(max, file, [&](JsonWriter& out) {
      out.object().field("file", file).field("format", name(list.checkpoint.format())).field("at", list.at);
      if (by_prefix) {
        out.key("prefixes").array();
        for (const auto& [prefix, t] : totals_by_prefix(list, by_prefix))
          out.object().field("prefix", prefix).field("tensors", t.tensors).field("elements", t.elements).field("nbytes", t.bytes).end();
        out.end();
      } else {
        out.key("tensors").array();
        for (const auto& row : list.rows)
          if (out.ok()) print_row(out, row);
        out.end();
      }
      if (!list.arrays.empty() || all) {
        out.key("arrays").array();
        for (const auto& row : list.arrays)
          if (out.ok()) print_row(out, row);
        out.end();
      }
      if (!list.others.empty()) {
        out.key("others").array();
        for (const auto& [name, value] : list.others) out.value(name);
        out.end();
      }
      if (!list.notes.empty()) {
        out.key("notes").array();
        for (const brine::Note& n : list.notes) out.object().field("code", name(n.code)).field("text", n.text).field("offset", n.place.offset).end();
        out.end();
      }
      out.end();
    });
  }

  void print_row(JsonWriter& out, const Listing::Row& row) const {
    const brine::Tensor& t = row.tensor;
    const brine::Storage storage = t.storage();
    const bool strided = !t.is_sparse() && !t.is_nested();
    out.object().field("name", row.name).field("dtype", name(t.dtype()));
    t.is_nested() ? out.field("shape", nullptr) : out.field("shape", t.shape());
    if (strided) out.field("stride", t.stride()).field("storage_offset", t.storage_offset());
    else out.field("layout", layout_text(t));
    if (strided && !t.is_meta()) out.field("storage", storage.key().empty() ? std::nullopt : std::optional(storage.key()));
    out.field("device", t.device()).field("requires_grad", t.requires_grad()).field("nbytes", strided ? std::optional(t.nbytes()) : std::nullopt);
    if (crc) out.field("crc32", row.crc ? std::optional(hex8(*row.crc)) : std::nullopt);
    out.end();
  }

  // Of objects there are no bytes: their items are walked.
  void print_row(JsonWriter& out, const Listing::ArrayRow& row) const {
    const auto array = brine::Array::of(row.value);
    if (array && array->dtype() == "|O") return;
    out.object().field("name", row.name);
    if (!array) {
      out.field("dtype", nullptr).field("shape", nullptr).field("error", array.error().text()).end();
      return;
    }
    out.field("dtype", array->dtype()).field("shape", array->shape()).field("nbytes", array->nbytes());
    if (crc) out.field("crc32", row.crc ? std::optional(hex8(*row.crc)) : std::nullopt);
    out.end();
  }
};

}  // namespace

void add_ls(CLI::App& app, Run& run) {
  auto ls = std::make_shared<Ls>();
  CLI::App* command = app.add_subcommand("ls", "list the state dict: name, dtype, shape, bytes");
  ls->common.add_to(*command);
  command->add_option("WORD", ls->words, "more files, where one of that name exists; else patterns: only tensors whose name matches one of these ('layer1.*')");
  command->add_flag("--all", ls->all, "every tensor and numpy array of the file, by its path in the object tree");
  command->add_flag("--json", ls->json, "for programs; one line for each file");
  command->add_flag("--crc", ls->crc, "with the CRC-32 of each tensor's elements (reads all bytes)");
  command->add_flag("-H,--human", ls->human, "sizes as 1.2 MB");
  command->add_option("--sort", ls->sort, "the order of the tensors: file, name, size (the largest first), dtype")
      ->check(one_of({"file", "name", "size", "dtype"}))
      ->capture_default_str();
  command->add_flag("--by-prefix{1}", ls->by_prefix, "totals by the first part of the names; --by-prefix=2: by the first two")->check([](const std::string& text) {
    const bool digits = !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits && text.find_first_not_of('0') != text.npos ? std::string() : "expected a number from 1 on, found " + text;
  });
  command->footer("Examples:\n  brine ls resnet50.pth\n  brine ls resnet50.pth 'layer4.*' '*.bias' --sort size --human\n  brine ls resnet50.pth --by-prefix=2\n"
                  "  brine ls checkpoint.pt --all --json --crc\n  brine ls checkpoint.pt --at ema\n  brine ls model-00001-of-00002.bin model-00002-of-00002.bin");
  command->callback([ls, &run] { run = [ls] { return ls->run(); }; });
}

}  // namespace tool
