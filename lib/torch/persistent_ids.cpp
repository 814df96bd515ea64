// SPDX-License-Identifier: MIT
#include "torch/persistent_ids.hpp"

namespace brine {

namespace {

class ZipIds final : public PersistentIds {
 public:
  Called resolve(const IdSite& site, const Ref& id) const override { return site.storages.from_id(site.graph, id, site.limits, false); }
};

class LegacyIds final : public PersistentIds {
 public:
  Called resolve(const IdSite& site, const Ref& id) const override {
    const auto part = is_tuple(id) ? tuple_of(id).items() : std::span<const Ref>();
    if (part.size() != 4 || part[0].kind != Kind::string || text_of(part[0]) != "module" || part[1].kind != Kind::global)
      return site.storages.from_id(site.graph, id, site.limits, true);
    // It stands for the class; the text is kept in the id, and never run.
    Ref cls = part[1];
    if (!cls.node->origin && !site.graph.set_origin(*cls.node, {.callee = {}, .args = id, .kwargs = {}, .how = How::persistent}))
      return site.storages.spent("the list of classes");
    site.classes.push_back(id);
    return cls;
  }
};

}  // namespace

const PersistentIds& zip_ids() noexcept {
  static const ZipIds ids;
  return ids;
}

const PersistentIds& legacy_ids() noexcept {
  static const LegacyIds ids;
  return ids;
}

}  // namespace brine
