// SPDX-License-Identifier: MIT
// brine ls: the state dict, or every tensor and array, as a table or as JSON.
#include "crc.hpp"
#include "json.hpp"
#include "listing.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

namespace tool {

namespace {

using Cells = std::vector<std::string>;

std::string hex8(std::uint32_t crc) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc));
  return text;
}

// Columns as wide as their cells, up to a cap: what is longer shifts its own line only. The cells of the columns in `right` stand to the right.
bool write_table(const std::vector<Cells>& table, std::string_view right) {
  constexpr std::size_t widest = 60;
  std::array<std::size_t, 8> width{};
  for (const Cells& row : table)
    for (std::size_t c = 0; c < row.size(); ++c)
      if (const std::size_t w = columns(row[c]); w <= widest) width[c] = std::max(width[c], w);
  std::string out;
  for (const Cells& row : table) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::size_t w = columns(row[c]);
      const std::string pad(w < width[c] ? width[c] - w : 0, ' ');
      const bool to_right = c < right.size() && right[c] == 'r';
      out += (c ? "  " : "") + (to_right ? pad + row[c] : row[c] + (c + 1 < row.size() ? pad : ""));
    }
    out += '\n';
    if (out.size() > 1 << 16 && !write_out(std::exchange(out, {}), false)) return false;
  }
  return write_out(out, false);
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
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
    for (const brine::Note& n : list->notes)  // a table of nothing would say that all is well
      if (n.code == brine::Note::Code::nothing_kept) return fail(brine::Error(brine::ErrorKind::usage, brine::ErrorCode::no_state_dict, n.text).in_file(file));
    list->sort(sort);
    if (crc)
      if (auto ok = list->compute_crcs(!common.plain); !ok) return fail(ok.error());
    if (json) return print_json(*list, file);
    return (by_prefix ? print_prefixes(*list) : print_table(*list)) && print_end(*list) ? kDone : kRefused;
  }

  std::string size_text(std::uint64_t bytes) const { return human ? human_bytes(bytes) : std::to_string(bytes); }
  // In a state dict "" is a key like others; in the tree it is the root where that is no container.
  static std::string name_text(const Listing& list, std::string_view name) { return !name.empty() ? cell(name, 4096) : list.root_is_tensor ? "(the root)" : "''"; }

  bool print_table(const Listing& list) const {
    std::vector<Cells> table;
    const std::size_t rows = list.rows.size();
    table.reserve(rows + list.arrays.size());
    for (const auto& row : list.rows) {
      table.push_back({name_text(list, row.name), std::string(name(row.tensor.dtype())), shape_text(row.tensor.shape()), size_text(row.tensor.nbytes())});
      if (crc) table.back().push_back(row.crc ? hex8(*row.crc) : "");
    }
    for (const auto& row : list.arrays) {
      const auto array = brine::Array::of(row.value);
      if (!array) table.push_back({name_text(list, row.name), "numpy", "?", "unreadable"});
      else table.push_back({name_text(list, row.name), "numpy " + std::string(array->dtype()), shape_text(array->shape()), size_text(array->nbytes())});
      const auto value = crc && array ? crc_of(*array) : std::nullopt;
      if (crc) table.back().push_back(value ? hex8(*value) : "");
    }
    return write_table(table, "   r");
  }

  bool print_prefixes(const Listing& list) const {
    std::vector<Cells> table;
    for (const auto& [prefix, t] : totals_by_prefix(list, by_prefix))
      table.push_back({name_text(list, prefix), counted(t.tensors, "tensor"), counted(t.elements, "element"), size_text(t.bytes) + (human ? "" : " bytes")});
    return write_table(table, " rrr");
  }

  bool print_end(const Listing& list) const {
    const Totals t = totals_of(list);
    const brine::Checkpoint& ckpt = list.checkpoint;
    std::string out = counted(t.tensors, "tensor") + ", " + counted(t.elements, "element") + ", " + human_bytes(t.bytes) + " in " + counted(t.storages, "storage");
    if (!list.arrays.empty()) out += ", " + counted(list.arrays.size(), "numpy array");
    out += " (" + std::string(name(ckpt.format())) + ", pickle protocol " + std::to_string(ckpt.protocol()) + (list.at.empty() || all ? "" : ", at " + cell(list.at)) + ")\n";
    constexpr std::size_t kNamed = 5;
    for (std::size_t i = 0; i < std::min(list.others.size(), kNamed); ++i)
      out += (i ? ", " : "other values: ") + cell(list.others[i].first) + " (" + cell(list.others[i].second.type_name()) + ")";
    if (list.others.size() > kNamed) out += " and " + std::to_string(list.others.size() - kNamed) + " more";
    if (!list.others.empty()) out += "\n";
    for (const brine::Note& n : list.notes) out += "note: " + printable(n.text) + "\n";
    return write_out(out);
  }

  int print_json(const Listing& list, const std::string& file) const {
    // Of names that the file has once, and the tree says often, there could be any number of bytes.
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    const std::uint64_t most = 24 * (ignored ? 0 : size) + (1 << 20);
    std::uint64_t text = 0;
    for (const auto& row : list.rows) text += row.name.size() + row.tensor.storage().key().size();
    for (const auto& row : list.arrays) text += row.name.size();
    text = std::max(text, list.paths_size);
    if (text > most)
      return fail(brine::Error(brine::ErrorKind::limit, brine::ErrorCode::copy_too_large, "the names of the listing would sum to " + std::to_string(text) + " bytes; the limit is " + std::to_string(most) + ", 24 times the file and 1 MiB").in_file(file));

    JsonWriter out;
    out.object().field("file", file).field("format", name(list.checkpoint.format())).field("at", list.at);
    if (by_prefix) {
      out.key("prefixes").array();
      for (const auto& [prefix, t] : totals_by_prefix(list, by_prefix)) out.object().field("prefix", prefix).field("tensors", t.tensors).field("elements", t.elements).field("nbytes", t.bytes).end();
      out.end();
    } else {
      out.key("tensors").array();
      for (const auto& row : list.rows) print_row(out, row);
      out.end();
    }
    if (!list.arrays.empty() || all) {
      out.key("arrays").array();
      for (const auto& row : list.arrays) print_row(out, row);
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
    return out.end().close() ? kDone : kRefused;
  }

  void print_row(JsonWriter& out, const Listing::Row& row) const {
    const brine::Tensor& t = row.tensor;
    const brine::Storage storage = t.storage();
    out.object().field("name", row.name).field("dtype", name(t.dtype())).field("shape", t.shape()).field("stride", t.stride()).field("storage_offset", t.storage_offset());
    out.field("storage", storage.key().empty() ? std::nullopt : std::optional(storage.key())).field("device", t.device()).field("requires_grad", t.requires_grad()).field("nbytes", t.nbytes());
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
    if (const auto value = crc ? crc_of(*array) : std::nullopt; crc) out.field("crc32", value ? std::optional(hex8(*value)) : std::nullopt);
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
  command->add_option("--sort", ls->sort, "the order of the tensors: file, name, size (the largest first), dtype")->check(CLI::IsMember({"file", "name", "size", "dtype"}))->capture_default_str();
  command->add_flag("--by-prefix{1}", ls->by_prefix, "totals by the first part of the names; --by-prefix=2: by the first two")->check([](const std::string& text) {
    const bool digits = !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits && text.find_first_not_of('0') != text.npos ? std::string() : "expected a number from 1 on, found " + text;
  });
  command->footer("Examples:\n  brine ls resnet50.pth\n  brine ls resnet50.pth 'layer4.*' '*.bias' --sort size --human\n  brine ls resnet50.pth --by-prefix=2\n"
                  "  brine ls checkpoint.pt --all --json --crc\n  brine ls checkpoint.pt --at ema\n  brine ls model-00001-of-00002.bin model-00002-of-00002.bin");
  command->callback([ls, &run] { run = [ls] { return ls->run(); }; });
}

}  // namespace tool
