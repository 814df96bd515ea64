// SPDX-License-Identifier: MIT
// What the persistent ids of a pickle stand for: each form hands the calls its own.
#pragma once

#include <brine/result.hpp>

#include "graph/graph.hpp"
#include "pickle/calls.hpp"
#include "torch/storages.hpp"

#include <vector>

namespace brine {

/// The place of one persistent id, and what resolving it may add to.
struct IdSite {
  Graph& graph;
  Storages& storages;
  std::vector<Ref>& classes;  ///< the ids that carry the source text of a class
  const Limits& limits;
};

class PersistentIds {
 public:
  virtual ~PersistentIds() = default;
  /// Fails with: as Storages::from_id does.
  virtual Called resolve(const IdSite& site, const Ref& id) const = 0;
};

/// ('storage', class, key, location, element count), as in every zip.
const PersistentIds& zip_ids() noexcept;
/// The same, with an optional sixth part, the view; and ('module', class, source file, source text).
const PersistentIds& legacy_ids() noexcept;

}  // namespace brine
