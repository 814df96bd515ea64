// SPDX-License-Identifier: MIT
#include "forms/other_zip.hpp"

#include "archive/zip_search.hpp"
#include "bytes/cursor.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace brine {

namespace {

using namespace std::string_view_literals;

/// A zip of this kind has a member of this name, or one whose name ends so where it begins with '*'.
struct Kind {
  std::string_view member, what, advice;
};
constexpr Kind kKinds[] = {
    {"_stable_baselines3_version", "a model of Stable-Baselines3", ""},
    {"model.weights.h5", "a Keras model (.keras)", "; read it with keras.models.load_model"},
    {"[Content_Types].xml", "an Office document (docx, xlsx, pptx)", ""},
    {"AndroidManifest.xml", "an Android app (.apk)", ""},
    {"META-INF/MANIFEST.MF", "a Java archive (.jar)", ""},
    {"META-INF/container.xml", "an EPUB book", ""},
    {"mimetype", "an OpenDocument file", ""},
    {"MAR-INF/MANIFEST.json", "a TorchServe archive (.mar)", ""},
    {"saved_model.pb", "a TensorFlow SavedModel", ""},
    {"*/saved_model.pb", "a TensorFlow SavedModel", ""},
    {"*.dist-info/WHEEL", "a Python wheel", ""},
};

bool is_named(std::string_view name, std::string_view member) {
  return member.starts_with('*') ? name.ends_with(member.substr(1)) : name == member;
}

/// Could some reader take it for the object's pickle? In whatever case, as PyTorch's does, and whatever stands around it.
bool has_pickle_name(std::string_view name) {
  constexpr std::string_view wanted = "data.pkl";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
  return std::search(name.begin(), name.end(), wanted.begin(), wanted.end(), same) != name.end();
}

const Kind* kind_of(std::span<const std::string_view> names) {
  for (const Kind& kind : kKinds)
    if (std::any_of(names.begin(), names.end(), [&](std::string_view name) { return is_named(name, kind.member); })) return &kind;
  return nullptr;
}

std::string named(const Kind& kind) {
  return std::string(kind.what) + std::string(kind.advice.empty() ? "; brine reads what torch.save writes (.pth, .pt, .bin, .ckpt)"sv : kind.advice);
}

Error other(std::string text) { return Error(ErrorKind::not_a_checkpoint, ErrorCode::other_format, std::move(text)); }

bool is_script(const ZipDirectory& directory) { return directory.find_record("constants.pkl") || directory.find_record("model.json"); }

/// By its first bytes, and where it is a stored zip by its directory: what --member opens.
bool is_checkpoint(const Archive& archive, const ZipEntry& e) {
  std::array<std::byte, 512> buffer;
  const auto start = std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(e.size, buffer.size())));
  Budget none(0, ErrorCode::inflated_too_large);  // nothing is passed over
  if (!archive.read_at(e, 0, start, none)) return false;
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (find_stream(text.substr(0, kStreamStart)) == 0) return true;
  if (!text.starts_with("PK\3\4") || start.size() < zip::local::kSize) return false;
  if (e.method != zip::kStored) {  // torch.save writes data.pkl first
    const auto name = text.substr(zip::local::kSize, little_at<std::uint16_t>(start.data() + zip::local::kNameLength));
    return name.ends_with("/data.pkl");
  }
  auto inner = archive.source().part(e.data_offset, e.size);
  if (!inner) return false;
  const auto directory = ZipDirectory::read(*inner, Limits{});
  return directory && directory->find_record("data.pkl") && !is_script(*directory);
}

/// Names for a message, and of how many.
struct Names {
  static constexpr std::size_t kMax = 8;
  std::vector<std::string_view> first;
  std::size_t all = 0;

  void add(std::string_view name) {
    if (all++ < kMax) first.push_back(name);
  }
  bool contains(std::string_view name) const { return std::find(first.begin(), first.end(), name) != first.end(); }
  std::string text() const {
    std::string out;
    for (std::size_t i = 0; i < first.size(); ++i) out += (i == 0 ? "" : i + 1 == all ? " and " : ", ") + escaped(first[i], 100);
    return all > first.size() ? out + " and " + std::to_string(all - first.size()) + " more" : out;
  }
};

Error not_of_pytorch(const std::string& record, const std::string& members) {
  return Error(ErrorKind::not_a_checkpoint, ErrorCode::record_missing,
               "this is a zip archive, but not of PyTorch: it has no record " + record + (members.empty() ? "" : "; it holds " + members));
}

/// Members that are checkpoints. Of compressed ones a few are looked at, and only those with a checkpoint's name: inflating costs.
Names checkpoints_in(const Archive& archive) {
  constexpr std::array endings{".pth"sv, ".pt"sv, ".bin"sv, ".ckpt"sv, ".pkl"sv, ".tar"sv, ".th"sv};
  constexpr std::size_t max = 64;
  std::size_t inflated = 0;
  Names out;
  for (const ZipEntry& e : archive.directory().entries()) {
    if (e.method != zip::kStored) {
      const bool named = std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return e.name.ends_with(ending); });
      if (!named || ++inflated > max) continue;
    }
    if (is_checkpoint(archive, e)) out.add(e.name);
  }
  return out;
}

}  // namespace

std::size_t find_stream(std::string_view bytes, std::size_t from) noexcept {
  constexpr std::string_view magic("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E", 13);
  constexpr std::size_t proto = 2, frame = 9;
  const auto is_proto = [&](std::size_t at, char min, char max) { return at >= from && bytes[at] == '\x80' && bytes[at + 1] >= min && bytes[at + 1] <= max; };
  for (auto at = bytes.find(magic, from); at != bytes.npos; at = bytes.find(magic, at + 1)) {
    if (at >= proto && is_proto(at - proto, 2, 3)) return at - proto;
    if (at >= proto + frame && bytes[at - frame] == '\x95' && is_proto(at - frame - proto, 4, 5)) return at - frame - proto;
  }
  return bytes.npos;
}

std::optional<Error> other_zip_by_names(const Source& source) {
  const auto zip = find_last_zip(source, source.size());
  if (!zip || zip->start != 0 || zip->end != source.size()) return std::nullopt;
  const Bytes bytes = look_at(source, zip->directory, zip->end - zip->directory);
  std::vector<std::string_view> names;
  Cursor cursor(bytes.span);
  while (cursor.remaining() >= zip::entry::kSize) {
    const std::byte* entry = bytes.span.data() + cursor.position();
    if (little_at<std::uint32_t>(entry) != zip::kEntrySignature) break;
    const auto length = [&](unsigned at) { return little_at<std::uint16_t>(entry + at); };
    cursor.skip(zip::entry::kSize);
    const std::string_view name = cursor.text(length(zip::entry::kNameLength));
    cursor.skip(std::uint64_t{length(zip::entry::kExtraLength)} + length(zip::entry::kCommentLength));
    if (has_pickle_name(name)) return std::nullopt;
    names.push_back(name);
  }
  if (const Kind* kind = kind_of(names)) return other("the file is not a checkpoint: it is " + named(*kind));
  const bool all = cursor.ok() && cursor.remaining() > 0 && little_at<std::uint16_t>(bytes.span.data() + cursor.position()) == (zip::kEndSignature & 0xFFFF);
  if (!all || names.empty()) return std::nullopt;
  Names some;
  for (const std::string_view name : names) some.add(name);
  return not_of_pytorch("data.pkl", some.text());
}

std::string member_list(const Archive& archive) {
  Names names = checkpoints_in(archive);
  for (const ZipEntry& e : archive.directory().entries())
    if (names.first.size() < Names::kMax && !names.contains(e.name)) names.add(e.name);
  names.all = archive.directory().entries().size();
  return names.text();
}

std::optional<Error> other_zip(const Archive& archive) {
  const ZipDirectory& directory = archive.directory();
  const auto has = [&](std::string_view record) { return directory.find_record(record) != nullptr; };
  const auto unsupported = [](std::string text) { return Error(ErrorKind::unsupported, ErrorCode::other_format, std::move(text)); };
  if (const Error* outside = directory.outside_root()) {  // PyTorch's own, but for one name? Then there is no telling what its readers take
    for (const ZipEntry& e : directory.entries())
      if (has_pickle_name(e.name)) return *outside;
  } else {
    if (is_script(directory)) return unsupported("this is a TorchScript archive (torch.jit.save), which brine does not read yet; save its state_dict() with torch.save");
    if (has("data.pkl")) return std::nullopt;
    if (has(".data/extern_modules") || has(".data/python_version")) return unsupported("this is a torch.package archive, not a checkpoint");
    if (has("archive_format") || has("models/model.json")) return unsupported("this is a torch.export archive (.pt2), not a checkpoint");
    for (const ZipEntry& e : directory.entries())
      if (e.name.size() == directory.root().size() + 9 && has_pickle_name(e.name))
        return Error(ErrorKind::corrupt, ErrorCode::record_missing, "there is no record data.pkl, only one that differs in case: " + in_quotes(e.name));
  }

  const auto entries = directory.entries();
  if (!entries.empty() && std::all_of(entries.begin(), entries.end(), [](const ZipEntry& e) { return e.name.ends_with(".npy"); }))
    return other("the file is not a checkpoint: it is a NumPy archive (.npz) of " + std::to_string(entries.size()) +
                 (entries.size() == 1 ? " array" : " arrays") + "; read it with numpy.load");
  std::vector<std::string_view> names;
  for (const ZipEntry& e : entries) names.push_back(e.name);
  const Kind* kind = kind_of(names);
  const std::string what(kind ? kind->what : "a zip archive");
  if (const Names inside = checkpoints_in(archive); inside.all > 0) {
    const std::string_view one = inside.contains("policy.pth") ? "policy.pth"sv : inside.first[0];  // the weights, beside the optimizer's state
    return other("the file is not a checkpoint itself: it is " + what + " that holds " + (inside.all == 1 ? "the checkpoint " : "the checkpoints ") +
                 inside.text() + "; --member " + shell_word(one) + " (LoadOptions::member) opens " + (inside.all == 1 ? "it" : "that one"));
  }
  if (kind) return other("the file is not a checkpoint: it is " + named(*kind));
  return not_of_pytorch(directory.outside_root() ? "data.pkl in a top folder" : in_quotes(std::string(directory.root()) + "/data.pkl"), member_list(archive));
}

}  // namespace brine
