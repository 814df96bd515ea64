// SPDX-License-Identifier: MIT
#include "listing.hpp"

#include "crc.hpp"
#include "places.hpp"
#include "progress.hpp"
#include "rereads.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace tool {

brine::Result<Listing> Listing::of(const brine::Checkpoint& checkpoint, const std::string& at, bool all) {
  Listing list{.checkpoint = checkpoint, .state = {}, .at = at, .rows = {}, .arrays = {}, .others = {}, .notes = {}, .root_is_tensor = false, .paths = {}};
  list.notes.assign(checkpoint.notes().begin(), checkpoint.notes().end());
  if (all) {
    const brine::Value from = checkpoint.at(at);
    if (!from.exists()) return no_place(std::string(checkpoint.file()), at);
    const auto tensors = checkpoint.tensors(from);
    const auto arrays = checkpoint.arrays(from);
    list.whole_paths = spell_paths(checkpoint, tensors, list.paths);
    list.whole_paths &= spell_paths(checkpoint, arrays, list.paths);
    list.root_is_tensor = from.kind() == brine::Kind::tensor || from.kind() == brine::Kind::object;
    auto path = list.paths.begin();
    for (const auto& found : tensors) list.rows.push_back({*path++, found.tensor});
    for (const auto& found : arrays) list.arrays.push_back({*path++, found.value});
    return list;
  }
  auto weights = weights_of(checkpoint, at);
  if (!weights) return std::move(weights).error();
  list.state = std::move(*weights);
  list.at = list.state->path();
  for (const auto& [name, tensor] : *list.state) list.rows.push_back({name, tensor});
  list.others = list.state->others();
  list.notes.insert(list.notes.end(), list.state->notes().begin(), list.state->notes().end());
  return list;
}

brine::Result<void> Listing::keep(const std::vector<std::string>& globs) {
  if (globs.empty()) return {};
  std::vector<bool> used(globs.size());
  const auto unwanted = [&](std::string_view name) {
    bool wanted = false;
    for (std::size_t i = 0; i < globs.size(); ++i)
      if (brine::matches_glob(globs[i], name)) wanted = used[i] = true;
    return !wanted;
  };
  std::erase_if(rows, [&](const Row& r) { return unwanted(r.name); });
  std::erase_if(arrays, [&](const ArrayRow& r) { return unwanted(r.name); });
  std::erase_if(others, [&](const auto& o) { return unwanted(o.first); });
  if (const auto none = std::find(used.begin(), used.end(), false); none != used.end())
    return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::missing_key,
                        "nothing matches " + printable(globs[static_cast<std::size_t>(none - used.begin())]) +
                            (state ? "; brine ls without patterns lists the names, --all those outside the state dict"
                                   : "; brine ls --all without patterns lists the names"))
        .in_file(checkpoint.file());
  return {};
}

void Listing::sort(const std::string& by) {
  const auto less = [&](const auto& key) {
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::pair(key(rows[a]), a) < std::pair(key(rows[b]), b); });
    std::vector<Row> sorted;
    for (const std::size_t i : order) sorted.push_back(std::move(rows[i]));
    rows = std::move(sorted);
  };
  if (by == "name") less([](const Row& r) { return r.name; });
  if (by == "size") less([](const Row& r) { return ~bytes_of(r.tensor); });
  if (by == "dtype") less([](const Row& r) { return name(r.tensor.dtype()); });
}

brine::Result<void> Listing::compute_crcs(bool mapped) {
  const Progress progress;
  std::uint64_t done = 0, total = 0;
  for (const Row& row : rows) total += bytes_of(row.tensor);
  Rereads rereads;
  for (const Row& row : rows)
    if (auto ok = rereads.add(row.tensor); !ok) return std::move(ok).error().in_file(checkpoint.file()).at_path(printable(row.name));
  for (Row& row : rows) {
    auto crc = crc_of(row.tensor, mapped);
    if (!crc) return std::move(crc).error().in_file(checkpoint.file()).at_path(printable(row.name));
    row.crc = *crc;
    progress(done += bytes_of(row.tensor), total);
  }
  for (ArrayRow& row : arrays)
    if (const auto array = brine::Array::of(row.value)) row.crc = crc_of(*array);
  return {};
}

Totals totals_of(const Listing& listing) {
  Totals out;
  std::vector<std::pair<const void*, std::uint64_t>> shared;  // by the text of the key, which each storage of a file has of its own
  for (const auto& row : listing.rows) {
    ++out.tensors;
    out.elements += static_cast<std::uint64_t>(row.tensor.numel());
    const auto add = [&](const brine::Storage& storage) {
      if (!storage.key().empty()) shared.emplace_back(storage.key().data(), storage.nbytes());
      else if (storage) ++out.storages, out.bytes += storage.nbytes();  // of brine's own making
    };
    add(row.tensor.storage());
    if (const auto parts = row.tensor.parts())
      for (const auto& part : *parts) add(part.tensor.storage());
  }
  std::sort(shared.begin(), shared.end());
  shared.erase(std::unique(shared.begin(), shared.end()), shared.end());
  out.storages += shared.size();
  for (const auto& [key, bytes] : shared) out.bytes += bytes;
  return out;
}

std::vector<std::pair<std::string_view, Totals>> totals_by_prefix(const Listing& listing, std::size_t depth) {
  std::vector<std::pair<std::string_view, Totals>> out;
  std::map<std::string_view, std::size_t> index;
  for (const auto& row : listing.rows) {
    std::size_t end = 0;
    for (std::size_t part = 0; part < depth && end != row.name.npos; ++part) end = row.name.find('.', end + (part > 0));
    const std::string_view prefix = row.name.substr(0, end);
    const auto [at, fresh] = index.try_emplace(prefix, out.size());
    if (fresh) out.push_back({prefix, {}});
    Totals& t = out[at->second].second;
    ++t.tensors;
    t.elements += static_cast<std::uint64_t>(row.tensor.numel());
    t.bytes += bytes_of(row.tensor);
  }
  return out;
}

}  // namespace tool
