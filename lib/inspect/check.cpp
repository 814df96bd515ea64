// SPDX-License-Identifier: MIT
// A checkpoint read from end to end, and the names in its pickle.
#include <brine/check.hpp>

#include "archive/zip_format.hpp"
#include "bytes/guard.hpp"
#include "forms/form.hpp"
#include "forms/part.hpp"
#include "pickle/python_calls.hpp"
#include "state/named_list.hpp"
#include "torch/access.hpp"
#include "torch/weights_only.hpp"

#include <deque>
#include <map>
#include <string>

namespace brine {

namespace {

constexpr std::size_t kMaxFaults = 100;

/// A policy that allows everything and remembers the names it was asked for.
class Names final : public Policy {
 public:
  Result<void> opcode(Op) const override { return {}; }
  Result<void> call(const Ref&, How) const override { return {}; }
  Result<void> build(const Ref&) const override { return {}; }
  Result<void> append(const Ref&, Op) const override { return {}; }
  Result<void> set_item(const Ref&, Op) const override { return {}; }
  Result<void> persistent(const Ref&) const override { return {}; }
  Result<void> global(std::string_view module, std::string_view name) const override {
    const auto [place, is_new] = uses_.try_emplace({number(module), number(name)}, Use{0, uses_.size()});
    ++place->second.uses;
    return {};
  }

  GlobalList list(const Calls& calls, bool python2) const {
    const WeightsOnly policy;
    GlobalList out{std::vector<GlobalUse>(uses_.size()), texts_};
    for (const auto& [key, use] : uses_) {
      const std::string_view module = words_[key.first].name, name = words_[key.second].name;
      const Python3Name now = python2 ? python3_name(module, name) : Python3Name{module, name};
      const bool known = python_call(now.module, now.name) != PythonCall::none || calls.known(now.module, now.name) != 0;
      out.names[use.place] = {{now.module, now.name}, known, module.size() + name.size() < 200 && policy.global(module, name), use.uses};
    }
    return out;
  }

 private:
  struct Word {
    std::string_view name;
  };
  struct Use {
    std::uint64_t uses;
    std::size_t place;
  };
  std::uint32_t number(std::string_view text) const {
    const std::uint32_t known = words_.find(text);
    if (known != words_.npos) return known;
    words_.push({texts_->emplace_back(text)});
    return words_.find(text);
  }
  mutable NamedList<Word> words_;
  mutable std::map<std::pair<std::uint32_t, std::uint32_t>, Use> uses_;
  std::shared_ptr<std::deque<std::string>> texts_ = std::make_shared<std::deque<std::string>>();
};

}  // namespace

Result<Checked> check(const Checkpoint& checkpoint, const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return guarded("checking", [&]() -> Result<Checked> {
    Checked out;
    const Opened& opened = CheckpointAccess::opened(checkpoint);
    const Part& part = CheckpointAccess::part(checkpoint);
    const bool inside = part.entry != nullptr;  // a member's bytes, whatever they are, have a CRC in the zip around them
    std::uint64_t done = 0;
    const auto fault = [&](Error error) {
      ++out.damaged;
      if (out.faults.size() < kMaxFaults) out.faults.push_back(std::move(error));
    };
    const auto each = [&](std::uint64_t size, bool has_crc, Result<void> verdict) {
      ++out.records;
      out.bytes += size;
      out.without_crc += !has_crc;
      if (!verdict) fault(std::move(verdict).error().in_file(checkpoint.file()));
    };
    opened.form->verify(each, [&](std::uint64_t bytes) {
      done += bytes;
      if (progress) progress(done, opened.end + (inside ? part.entry->size : 0));
    });
    if (!inside) return out;
    out.member_crc = part.entry->crc != 0 || part.entry->size == 0;
    if (part.entry->method == zip::kStored) {  // a deflated one was compared when it was opened
      if (auto whole = part.zip->verify(*part.entry); !whole) fault(std::move(whole).error());
    }
    if (progress) progress(done + part.entry->size, done + part.entry->size);
    return out;
  });
}

Result<GlobalList> globals(const Checkpoint& checkpoint) {
  return guarded("listing names", [&]() -> Result<GlobalList> {
    const Document& object = CheckpointAccess::opened(checkpoint).object();
    Document again(object.pickle, object.limits, object.ids);
    const Names names;
    if (auto ok = again.run(&names); !ok) return std::move(ok).error().in_file(checkpoint.file());
    return names.list(again.calls, again.protocol < 3);
  });
}

}  // namespace brine
