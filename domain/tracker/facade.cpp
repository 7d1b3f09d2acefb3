#include "domain/tracker/facade.hpp"

#include <algorithm>

namespace connectord::tracker {

result<const binding_view*> meant_by_slug(std::span<const binding_view> bindings) {
  if (bindings.empty()) return nullptr;
  const auto usable = std::ranges::find_if(bindings, [](const auto& b) { return b.row.evaluated(); });
  if (usable == bindings.end()) return error{errc::mapping_disabled};
  return &*usable;
}

validity validity_of(const binding_view* b, provider p, const uuid& project_uuid) {
  if (b == nullptr || !b->row.live()) return validity::mapping_deleted;
  if (b->row.state == binding_state::disabled) return validity::mapping_disabled;
  const bool same = b->row.provider == p && b->project.project_uuid == project_uuid;
  return same ? validity::valid : validity::project_mismatch;
}

}  // namespace connectord::tracker
