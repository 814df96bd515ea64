// SPDX-License-Identifier: MIT
// brine ls: the state dict, or every tensor, as a table or as JSON.
#include "common.hpp"

#include <libdeflate.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <memory>
#include <set>

namespace tool {

namespace {

struct Row {
  std::string name;
  brine::Tensor tensor;
};

// Python's str may hold lone surrogates, which UTF-8 cannot say and JSON can, as \\uD800: they pass the JSON library as private text.
constexpr std::string_view kSurrogate = "\xEE\x80\x80surrogate:";  // U+E000 first

std::string without_surrogates(std::string_view text) {
  std::string out;
  constexpr char hex[] = "0123456789abcdef";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](std::size_t n) { return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0u; };
    if (at(0) == 0xED && at(1) >= 0xA0 && at(2)) {
      const unsigned code = 0xD000u | (at(1) & 63u) << 6 | (at(2) & 63u);
      out += kSurrogate;
      for (int shift = 12; shift >= 0; shift -= 4) out += hex[(code >> shift) & 15];
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string with_surrogates(std::string text) {
  constexpr std::string_view written = "\\ue000surrogate:";
  for (std::size_t at = 0; (at = text.find(written, at)) != std::string::npos; at += 2) text.replace(at, written.size(), "\\u");
  return text;
}

struct Listing {
  std::vector<Row> rows;
  std::vector<std::pair<std::string, brine::Value>> others;  // of a state dict: what is no tensor
  std::vector<brine::Note> notes;
  std::vector<std::string> crcs;
  std::string at;
};

struct Ls {
  Common common;
  bool all = false, crc = false, json = false;
  std::vector<std::string> globs;

  int run() const {
    auto options = common.load_options();
    const auto ckpt = brine::load(common.file, options);
    if (!ckpt) return fail(ckpt.error());
    Listing list;
    list.at = common.at;
    list.notes.assign(ckpt->notes().begin(), ckpt->notes().end());
    if (all) {
      const brine::Value from = ckpt->at(common.at);
      if (!from.exists()) return fail(common.file + ": there is no place " + common.at);
      for (auto& found : ckpt->tensors(from)) list.rows.push_back({std::move(found.path), found.tensor});
    } else {
      const auto weights = ckpt->state_dict(common.at);
      if (!weights) return fail(weights.error());
      list.at = weights->path();
      for (const auto& [name, tensor] : *weights) list.rows.push_back({std::string(name), tensor});
      for (const auto& [name, value] : weights->others()) list.others.emplace_back(name, value);
      list.notes.insert(list.notes.end(), weights->notes().begin(), weights->notes().end());
    }
    std::erase_if(list.rows, [&](const Row& r) { return !wanted(r.name); });
    std::erase_if(list.others, [&](const auto& o) { return !wanted(o.first); });
    if (crc)
      for (const Row& row : list.rows) {
        auto value = crc_of(row.tensor);
        if (!value) return fail(std::move(value).error().in_file(common.file).at_path(row.name));
        list.crcs.push_back(std::move(*value));
      }
    return (json ? print_json(*ckpt, list) : print_table(*ckpt, list)) ? kDone : kRefused;
  }

  bool wanted(const std::string& name) const {
    return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& g) { return brine::matches_glob(g, name); });
  }

  // Over the elements, row-major and little-endian; empty where there are no plain elements.
  static brine::Result<std::string> crc_of(const brine::Tensor& t) {
    if (t.dtype() == brine::DType::quint4x2 || t.dtype() == brine::DType::quint2x4) return std::string();
    std::uint32_t crc = 0;
    const auto plain = t.data_bytes();
    if (plain && !t.storage().foreign_byte_order()) {
      crc = libdeflate_crc32(0, plain->data(), plain->size());
    } else if (t.numel() != 0) {
      if (auto room = t.storage().bytes(); !room) return room.error();
      std::vector<std::byte> copy;
      if (t.nbytes() > brine::Limits{}.copy_bytes / 16) return brine::Error(brine::ErrorKind::limit, brine::ErrorCode::copy_too_large, "the elements are too many to copy for a CRC");
      copy.resize(t.nbytes());
      if (auto ok = t.copy_to(copy); !ok) return ok.error();
      crc = libdeflate_crc32(0, copy.data(), copy.size());
    }
    char text[16];
    std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc));
    return std::string(text);
  }

  bool print_json(const brine::Checkpoint& ckpt, const Listing& list) const {
    using Json = nlohmann::ordered_json;
    const auto& [rows, others, notes, crcs, at] = list;
    Json out = {{"file", common.file}, {"format", name(ckpt.format())}, {"at", at}, {"tensors", Json::array()}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const brine::Tensor& t = rows[i].tensor;
      Json j = {{"name", without_surrogates(rows[i].name)}, {"dtype", name(t.dtype())}, {"shape", t.shape()}, {"stride", t.stride()}, {"storage_offset", t.storage_offset()}};
      j["storage"] = t.storage() && !t.storage().key().empty() ? Json(t.storage().key()) : Json();
      j["device"] = t.device();
      j["requires_grad"] = t.requires_grad();
      j["nbytes"] = t.nbytes();
      if (crc) j["crc32"] = crcs[i].empty() ? Json() : Json(crcs[i]);
      out["tensors"].push_back(std::move(j));
    }
    for (const auto& [name, value] : others) out["others"].push_back(without_surrogates(name));
    for (const brine::Note& n : notes) out["notes"].push_back({{"code", name(n.code)}, {"text", n.text}});
    return write_out(with_surrogates(out.dump(-1, ' ', true, Json::error_handler_t::replace)) + "\n");
  }

  bool print_table(const brine::Checkpoint& ckpt, const Listing& list) const {
    const auto& [rows, others, notes, crcs, at] = list;
    std::vector<std::array<std::string, 5>> cells;
    std::array<std::size_t, 5> width{};
    std::uint64_t elements = 0, bytes = 0;
    std::set<std::string> storages;
    std::size_t made = 0;  // storages of brine's making have no key
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const brine::Tensor& t = rows[i].tensor;
      cells.push_back({rows[i].name.empty() ? "(the root)" : printable(rows[i].name), std::string(name(t.dtype())), shape_text(t), std::to_string(t.nbytes()), crc ? crcs[i] : ""});
      for (std::size_t c = 0; c < 5; ++c) width[c] = std::max(width[c], cells.back()[c].size());
      elements += static_cast<std::uint64_t>(t.numel());
      const bool own = t.storage() && t.storage().key().empty();
      made += own;
      if (own || storages.insert(std::string(t.storage().key())).second) bytes += t.storage().nbytes();
    }
    std::string out;
    for (const auto& row : cells) {
      const auto pad = [&](std::size_t c) { return std::string(width[c] - row[c].size(), ' '); };
      out += row[0] + pad(0) + "  " + row[1] + pad(1) + "  " + row[2] + pad(2) + "  " + pad(3) + row[3] + (crc ? "  " + row[4] : "") + "\n";
      if (out.size() > 1 << 16 && !write_out(std::exchange(out, {}), false)) return false;
    }
    out += std::to_string(rows.size()) + (rows.size() == 1 ? " tensor, " : " tensors, ") + std::to_string(elements) + " elements, " + human_bytes(bytes) + " in " +
           std::to_string(storages.size() + made) + (storages.size() + made == 1 ? " storage" : " storages") + " (" + std::string(name(ckpt.format())) + ", pickle protocol " +
           std::to_string(ckpt.protocol()) + (at.empty() || all ? "" : ", at " + printable(at)) + ")\n";
    constexpr std::size_t kNamed = 5;
    for (std::size_t i = 0; i < std::min(others.size(), kNamed); ++i)
      out += (i ? ", " : "other values: ") + printable(others[i].first) + " (" + printable(others[i].second.type_name()) + ")";
    if (others.size() > kNamed) out += " and " + std::to_string(others.size() - kNamed) + " more";
    if (!others.empty()) out += "\n";
    for (const brine::Note& n : notes) out += "note: " + printable(n.text) + "\n";
    return write_out(out);
  }
};

}  // namespace

void add_ls(CLI::App& app, Run& run) {
  auto ls = std::make_shared<Ls>();
  CLI::App* command = app.add_subcommand("ls", "list the state dict: name, dtype, shape, bytes");
  ls->common.add_to(*command);
  command->add_option("GLOB", ls->globs, "only tensors whose name matches one of these: 'layer1.*'");
  command->add_flag("--all", ls->all, "every tensor of the file, by its path in the object tree");
  command->add_flag("--json", ls->json, "for programs");
  command->add_flag("--crc", ls->crc, "with the CRC-32 of each tensor's elements (reads all bytes)");
  command->footer("Examples:\n  brine ls resnet50.pth\n  brine ls resnet50.pth 'layer4.*' '*.bias'\n  brine ls checkpoint.pt --all --json --crc\n  brine ls checkpoint.pt --at ema");
  command->callback([ls, &run] { run = [ls] { return ls->run(); }; });
}

}  // namespace tool
