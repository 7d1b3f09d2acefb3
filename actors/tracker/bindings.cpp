#include "actors/tracker/bindings.hpp"

#include "actors/tracker/queue.hpp"
#include "base/crockford.hpp"
#include "base/json.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/codec.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/resources.hpp"

#include <algorithm>
#include <utility>

namespace connectord::tracker {
namespace {

constexpr int most_checked = 200;  // a sweep; the next one takes the rest

result<binding_change> open_live(change& c, const binding_id& id) {
  auto b = open_binding(c, id);
  if (b && !b->row.live()) return error{errc::binding_not_found};
  return b;
}

result<binding_view> shown(change& c, const binding_id& id) {
  return storage::view_binding(c.db, c.tenant, id);
}

error already_bound(const resource& holder) {
  return error{errc::already_bound}.with("binding_id", json::string{holder.binding.text()});
}

result<> move_to(binding_change& b, binding_state to) {
  const auto from = b.row.state;
  if (from == to) return {};
  b.row.state = to;
  if (to == binding_state::disabled) {
    tell_transition(b, "tracker_binding_disabled", from);
    return end_drift(b, resolution::superseded);
  }
  tell_transition(b, "tracker_binding_activated", from);
  return from == binding_state::disabled ? evaluate_all(b) : result<>{};
}

/// True when another policy is in effect now.
bool take_policy(binding_change& b, const patch_binding& asked) {
  auto& row = b.row;
  const auto before = row.effective;
  if (asked.doctrine) {
    row.effective = *asked.doctrine;
    row.source = doctrine_source::manual;
  } else if (asked.follows_snapshots) {
    row.effective = row.reported.value_or(doctrine{});
    row.source = doctrine_source::snapshot;
  }
  if (row.effective == before) return false;
  std::string payload;
  json_writer w{payload};
  w.open().raw_member("from", storage::encode_doctrine(before));
  w.raw_member("to", storage::encode_doctrine(row.effective)).close();
  tell(b, "tracker_doctrine_changed", "The policy of " + row.display_label + " changed", std::move(payload));
  return true;
}

result<resource> owned(change& c, const resource_id& id, const binding_id& of) {
  auto found = storage::find_resource(c.db, c.tenant, id);
  if (!found) return found.error();
  if (!*found || (*found)->binding != of || (*found)->state == binding_state::deleted)
    return error{errc::not_found};
  return std::move(**found);
}

}  // namespace

result<project> project_of(change& c, const uuid& id_or_uuid) {
  auto found = storage::find_project(c.db, c.tenant, id_or_uuid);
  if (!found) return found.error();
  if (!*found) return error{errc::project_not_found};
  return std::move(**found);
}

result<binding_change> make_binding(change& c, const project& owner, tracker::provider provider,
                                    std::string workspace, binding_state state, binding_origin origin,
                                    binding_id id) {
  stored_binding b;
  b.id = id;
  b.ref = crockford_id("srm_");
  b.project = owner.id;
  b.provider = provider;
  b.display_label = std::string{name_of(provider)} + ':' + workspace;
  b.workspace = std::move(workspace);
  b.state = state;
  b.origin = origin;
  b.created_at = b.updated_at = c.now;
  if (const auto ok = storage::insert_binding(c.db, c.tenant, b); !ok) return ok.error();
  binding_change made{
      .c = c, .row = std::move(b), .project = {owner.id, owner.project_uuid, owner.slug}, .made = true};
  const bool found = state == binding_state::discovered;
  tell_transition(made, found ? "tracker_binding_discovered" : "tracker_binding_created", std::nullopt);
  return made;
}

result<binding_change> bind(change& c, const project& owner, tracker::provider provider,
                            std::string workspace, binding_origin origin) {
  auto known = storage::find_binding_of(c.db, c.tenant, owner.id, provider, workspace);
  if (!known) return known.error();
  if (!*known || !(*known)->live())
    return make_binding(c, owner, provider, std::move(workspace), binding_state::active, origin);
  auto b = open_binding(c, std::move(**known));
  if (!b) return b;
  b->row.updated_at = c.now;
  if (const auto ok = move_to(*b, binding_state::active); !ok) return ok.error();
  return b;
}

result<resource> map_resource(binding_change& b, const resource_key& key, resource_id fresh) {
  auto& c = b.c;
  const auto holder =
      storage::find_active_resource(c.db, c.tenant, b.row.provider, b.row.workspace, key.type, key.id);
  if (!holder) return holder.error();
  if (*holder && (*holder)->binding != b.row.id) return already_bound(**holder);
  if (*holder) return **holder;
  auto rows = storage::resources_of(c.db, c.tenant, b.row.id);
  if (!rows) return rows.error();
  const auto known = std::ranges::find_if(
      *rows, [&](const resource& r) { return r.type == key.type && r.external_id == key.id; });
  if (known != rows->end()) {
    known->state = binding_state::active;
    known->updated_at = c.now;
    if (const auto ok = storage::update_resource(c.db, c.tenant, *known); !ok) return ok.error();
    return std::move(*known);
  }
  resource made{.id = fresh,
                .binding = b.row.id,
                .provider = b.row.provider,
                .workspace = b.row.workspace,
                .type = key.type,
                .external_id = key.id,
                .state = binding_state::active,
                .created_at = c.now,
                .updated_at = c.now};
  if (const auto ok = storage::insert_resource(c.db, c.tenant, made); !ok) return ok.error();
  return made;
}

result<> discover_resource(binding_change& b, const resource_key& key) {
  const auto known = storage::resources_of(b.c.db, b.c.tenant, b.row.id);
  if (!known) return known.error();
  const auto same = [&](const resource& r) { return r.type == key.type && r.external_id == key.id; };
  if (std::ranges::any_of(*known, same)) return {};
  return storage::insert_resource(b.c.db, b.c.tenant,
                                  {.id = resource_id::make(),
                                   .binding = b.row.id,
                                   .provider = b.row.provider,
                                   .workspace = b.row.workspace,
                                   .type = key.type,
                                   .external_id = key.id,
                                   .created_at = b.c.now,
                                   .updated_at = b.c.now});
}

result<binding_view> create(change& c, const create_binding& asked) {
  const auto owner = project_of(c, asked.project);
  if (!owner) return owner.error();
  const auto known = storage::find_binding_of(c.db, c.tenant, owner->id, asked.provider, asked.workspace);
  if (!known) return known.error();
  if (*known && (*known)->live())
    return error{errc::binding_exists}.with("binding_id", json::string{(*known)->id.text()});
  auto b = make_binding(c, *owner, asked.provider, asked.workspace, binding_state::active,
                        binding_origin::api, asked.id);
  if (!b) return b.error();
  if (asked.display_label) b->row.display_label = *asked.display_label;
  if (asked.doctrine) {
    b->row.effective = *asked.doctrine;
    b->row.source = doctrine_source::manual;
  }
  for (const auto& r : asked.resources)
    if (const auto mapped = map_resource(*b, {r.type, r.id}); !mapped) return mapped.error();
  if (const auto ok = conclude(*b); !ok) return ok.error();
  if (const auto ok = apply_pending(c, asked.id); !ok) return ok.error();
  return shown(c, asked.id);
}

result<binding_view> patch(change& c, const patch_binding& asked) {
  auto b = open_live(c, asked.id);
  if (!b) return b.error();
  const auto before = b->row.state;
  if (asked.display_label) b->row.display_label = *asked.display_label;
  b->row.updated_at = c.now;
  const bool other_policy = take_policy(*b, asked);
  if (asked.state)
    if (const auto ok = move_to(*b, *asked.state); !ok) return ok.error();
  if (other_policy && b->row.evaluated())
    if (const auto ok = evaluate_all(*b); !ok) return ok.error();
  if (const auto ok = conclude(*b); !ok) return ok.error();
  if (b->row.state == binding_state::active && before != binding_state::active)
    if (const auto ok = apply_pending(c, asked.id); !ok) return ok.error();
  return shown(c, asked.id);
}

result<> remove(change& c, const delete_binding& asked) {
  auto b = open_live(c, asked.id);
  if (!b) return b.error();
  const auto from = b->row.state;
  b->row.state = binding_state::deleted;
  b->row.updated_at = c.now;
  tell_transition(*b, "tracker_binding_deleted", from);
  if (const auto ok = end_drift(*b, resolution::binding_removed); !ok) return ok;
  if (const auto ok = storage::delete_resources(c.db, c.tenant, asked.id, c.now); !ok) return ok;
  return conclude(*b);
}

result<resource> create(change& c, const create_resource& asked) {
  auto b = open_live(c, asked.binding);
  if (!b) return b.error();
  const resource_key key{asked.wanted.type, asked.wanted.id};
  const auto holder =
      storage::find_active_resource(c.db, c.tenant, b->row.provider, b->row.workspace, key.type, key.id);
  if (!holder) return holder.error();
  if (*holder) return already_bound(**holder);
  auto made = map_resource(*b, key, asked.id);
  if (!made) return made.error();
  if (const auto ok = conclude(*b); !ok) return ok.error();
  if (const auto ok = apply_pending(c, asked.binding); !ok) return ok.error();
  return made;
}

result<resource> patch(change& c, const patch_resource& asked) {
  auto b = open_live(c, asked.binding);
  if (!b) return b.error();
  auto r = owned(c, asked.id, asked.binding);
  if (!r) return r.error();
  if (r->state == asked.state) return r;
  if (asked.state == binding_state::active) {
    auto mapped = map_resource(*b, {r->type, r->external_id});
    if (!mapped) return mapped.error();
    if (const auto ok = conclude(*b); !ok) return ok.error();
    if (const auto ok = apply_pending(c, asked.binding); !ok) return ok.error();
    return mapped;
  }
  r->state = asked.state;
  r->updated_at = c.now;
  if (const auto ok = storage::update_resource(c.db, c.tenant, *r); !ok) return ok.error();
  return r;
}

result<> remove(change& c, const delete_resource& asked) {
  auto b = open_live(c, asked.binding);
  if (!b) return b.error();
  auto r = owned(c, asked.id, asked.binding);
  if (!r) return r.error();
  r->state = binding_state::deleted;
  r->updated_at = c.now;
  return storage::update_resource(c.db, c.tenant, *r);
}

result<> check(change& c) {
  auto due = storage::bindings_to_check(c.db, c.tenant, c.now, most_checked);
  if (!due) return due.error();
  for (auto& row : *due) {
    auto b = open_binding(c, std::move(row));
    if (!b) return b.error();
    if (const auto ok = conclude(*b); !ok) return ok;
  }
  return {};
}

}  // namespace connectord::tracker
