#include "actors/tracker/facade.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/queue.hpp"

#include <limits>

namespace connectord::tracker {
namespace {

constexpr int all = std::numeric_limits<int>::max();

result<> by_reference(storage::session& db, const tenant_id& t, const facade_route& r, routed& to) {
  const auto id = storage::find_binding_id(db, t, *r.binding_ref);
  if (!id) return id.error();
  if (!*id) return error{errc::unknown_binding_ref};
  auto view = storage::view_binding(db, t, **id);
  if (!view) return view.error();
  if (view->row.state == binding_state::disabled) return error{errc::mapping_disabled};
  const bool other_project = r.project_slug && view->project.slug != *r.project_slug;
  if (other_project || view->row.provider != r.provider) return error{errc::project_mismatch};
  auto project = storage::find_project(db, t, view->row.project.value());
  if (!project) return project.error();
  to.of = std::move(*project);
  to.bindings.push_back(std::move(*view));
  return {};
}

result<> by_slug(storage::session& db, const tenant_id& t, const facade_route& r, routed& to) {
  auto project = storage::find_project_by_slug(db, t, *r.project_slug);
  if (!project) return project.error();
  if (!*project) return error{errc::project_not_found};
  to.by_slug = true;
  to.of = std::move(*project);
  auto known = storage::list_bindings(
      db, t, {.projects = {to.of->id.str()}, .providers = {std::string{name_of(r.provider)}}}, {}, all);
  if (!known) return known.error();
  const auto meant = meant_by_slug(*known);
  if (!meant) return meant.error();
  if (*meant != nullptr) to.bindings.push_back(**meant);
  return {};
}

}  // namespace

result<std::vector<binding_view>> bindings_of(storage::session& db, const tenant_id& t, provider p) {
  return storage::list_bindings(db, t, {.providers = {std::string{name_of(p)}}}, {}, all);
}

result<std::vector<attachable>> attachables_of(storage::session& db, const tenant_id& t, provider p) {
  const auto bindings = bindings_of(db, t, p);
  if (!bindings) return bindings.error();
  const auto pending = storage::list_queue(
      db, t, {.states = {std::string{name_of(queue_state::pending)}}, .providers = {std::string{name_of(p)}}},
      {}, all);
  if (!pending) return pending.error();
  return attachables(*bindings, *pending);
}

result<routed> find_way(storage::session& db, const tenant_id& t, const facade_route& r) {
  routed to;
  auto installation = storage::find_installation(db, t, r.provider);
  if (!installation) return installation.error();
  to.installation = installation->value_or("");
  if (r.binding_ref) {
    if (const auto ok = by_reference(db, t, r, to); !ok) return ok.error();
  } else if (r.project_slug) {
    if (const auto ok = by_slug(db, t, r, to); !ok) return ok.error();
  } else {
    auto everywhere = bindings_of(db, t, r.provider);
    if (!everywhere) return everywhere.error();
    to.bindings = std::move(*everywhere);
  }
  return to;
}

}  // namespace connectord::tracker
