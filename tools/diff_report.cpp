// SPDX-License-Identifier: MIT
#include "diff_report.hpp"

#include "json.hpp"
#include "messages.hpp"
#include "output.hpp"

#include <utility>

namespace tool {

namespace {

constexpr std::size_t kLines = 10'000, kName = 120;
using Kind = brine::Difference::Kind;

/// What is printed of differences, and the last line.
class Lines {
 public:
  void line(char sign, std::string_view name, const std::string& text) {
    const std::string shown = name.empty() ? root : cell(name, kName);
    if (sign == '?') add(not_compared_, others_, name.empty() ? text : shown + " (" + text + ")");
    else add(differs_, differing_, shown);
    if (++lines_ <= kLines) out += std::string(1, sign) + " " + shown + (text.empty() ? "" : "  " + text) + "\n";
  }
  /// Differences that are counted and not listed.
  void more(std::uint64_t n) { lines_ += n, differing_ += n; }
  void close() {
    if (lines_ > kLines) out += "… and " + std::to_string(lines_ - kLines) + " more\n";
  }
  std::string verdict() const {
    const auto list = [](const char* word, const std::string& names, std::uint64_t n) {
      return n == 0 ? "" : word + names + (n > kNamed ? " and " + std::to_string(n - kNamed) + " more" : "");
    };
    const std::string differs = list("differs: ", differs_, differing_), rest = list("not compared: ", not_compared_, others_);
    return differs + (differs.empty() || rest.empty() ? "" : "; ") + rest + (differs.empty() && rest.empty() ? "" : "\n");
  }
  std::string out, root;  // root: what the place that was compared is called

 private:
  static constexpr std::uint64_t kNamed = 5;
  void add(std::string& list, std::uint64_t& n, const std::string& name) {
    if (name == std::exchange(last_, name)) return;  // there is more to say of it
    if (n++ < kNamed) list += (list.empty() ? "" : ", ") + name;
  }
  std::string differs_, not_compared_, last_;
  std::uint64_t lines_ = 0, differing_ = 0, others_ = 0;
};

std::string counted(std::uint64_t n, const std::string& what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

std::string text_of(const brine::StateDict& state, std::string_view name) {
  const brine::Tensor* t = state.find(name);
  return t ? std::string(brine::name(t->dtype())) + " " + shape_text(t->shape()) : "(no tensor)";
}

void put(JsonWriter& out, const brine::TensorDifference& d) {
  out.field("same_dtype", d.same_dtype).field("same_shape", d.same_shape).field("same_attributes", d.same_attributes).field("same_sharing", d.same_sharing);
  out.field("largest_difference", d.largest_difference).field("elements", d.differing);
}

}  // namespace

bool DiffReport::print(std::uint64_t max) const {
  Lines report;
  report.root = root.empty() ? "(the root)" : cell(root, kName);
  std::string summary;
  if (const auto& w = found.weights) {
    for (const auto name : w->only_in_a) report.line('-', name, text_of(found.weights_a, name));
    for (const auto name : w->only_in_b) report.line('+', name, text_of(found.weights_b, name));
    for (const auto& e : w->differing) report.line('~', e.name, e.text);
    if (!weights_only)
      for (const auto& e : w->attributes) report.line('~', e.name, e.text);
    for (const auto& e : w->versions) report.line('~', e.name.empty() ? "_metadata" : "_metadata of " + std::string(e.name), e.text);
    const std::size_t differ = w->differing.size() + (weights_only ? 0 : w->attributes.size());
    summary = counted(w->compared, "name") + " in both" +
              (w->equal() && differ == 0 ? std::string(": ") + equal_text
                                         : ", " + std::to_string(differ) + " differ; " + std::to_string(w->only_in_a.size()) +
                                               " only in the first, " + std::to_string(w->only_in_b.size()) + " only in the second") +
              (w->same_order ? "\n" : "; the order differs\n");
  }
  const brine::Comparison& rest = found.rest;
  for (const brine::Difference& d : rest.differences)
    report.line(d.kind == Kind::only_in_a ? '-' : d.kind == Kind::only_in_b ? '+' : d.kind == Kind::not_compared ? '?' : '~', d.path, d.text);
  report.more(rest.differing + rest.not_compared - rest.differences.size());
  if (!found.weights || rest.compared > 1 || rest.differing > 0)
    summary += counted(rest.compared, found.weights ? "other value" : "value") + " in both" +
               (rest.differing == 0 ? std::string(": ") + equal_text : ", " + counted(rest.differing, "difference")) + (rest.same_order ? "\n" : "; the order differs\n");
  report.close();
  Output out(max);
  for (std::string_view lines = report.out; !lines.empty();) {
    const std::size_t line = lines.find('\n') + 1;
    if (!out.add(lines.substr(0, line))) break;
    lines.remove_prefix(line);
  }
  return out.close(summary + (equal ? "" : report.verdict()));
}

bool DiffReport::print_json(const std::string& file_a, const std::string& file_b, std::uint64_t max) const {
  constexpr const char* kinds[] = {"only_in_a", "only_in_b", "value", "type", "sharing", "place", "not_compared"};
  return write_json(max, file_a, [&](JsonWriter& out) {
    out.object().field("a", file_a).field("b", file_b).field("equal", equal).field("elements", elements);
    if (const auto& w = found.weights) {
      out.key("weights").object().field("at_a", found.weights_a.path()).field("at_b", found.weights_b.path());
      out.field("compared", w->compared).field("same_order", w->same_order);
      for (const auto& [word, list] : {std::pair("only_in_a", &w->only_in_a), std::pair("only_in_b", &w->only_in_b)}) {
        out.key(word).array();
        for (const auto name : *list) out.value(name);
        out.end();
      }
      for (const auto& [word, list] : {std::pair("differing", &w->differing), std::pair("attributes", &w->attributes), std::pair("versions", &w->versions)}) {
        out.key(word).array();
        for (const auto& e : *list) {
          out.object().field("name", e.name).field("text", e.text);
          if (e.a && e.b) put(out, e);
          out.end();
        }
        out.end();
      }
      out.end();
    }
    if (!weights_only) {
      out.key("rest").object().field("compared", found.rest.compared).field("same_order", found.rest.same_order).field("differing", found.rest.differing);
      out.field("not_compared", found.rest.not_compared).key("differences").array();
      for (const auto& d : found.rest.differences) {
        out.object().field("kind", kinds[static_cast<std::size_t>(d.kind)]).field("path", d.path).field("text", d.text);
        if (!d.tensor.equal_bits || !d.tensor.same_attributes) put(out, d.tensor);
        out.end();
      }
      out.end().end();
    }
    out.end();
  });
}

}  // namespace tool
