#include "actors/tracker/bindings.hpp"
#include "actors/tracker/facade.hpp"
#include "actors/tracker/family.hpp"
#include "actors/tracker/new_project.hpp"
#include "actors/tracker/queue.hpp"
#include "base/crockford.hpp"
#include "base/crypto.hpp"
#include "base/json.hpp"
#include "domain/tracker/text.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/candidates.hpp"
#include "storage/tracker/mission_origins.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/resources.hpp"

namespace connectord {
namespace {

using tracker::attachable;
using tracker::change;

// ---- candidate tokens

offered offer(attachable what) { return {std::move(what), crockford_id("cand_")}; }

result<> remember(change& c, std::span<const offered* const> offers) {
  std::vector<storage::stored_candidate> rows;
  for (const auto* o : offers) {
    const auto& bound = o->what.bound;
    rows.push_back({to_hex(bytes_of(sha256(o->token))), o->what.at,
                    bound ? std::optional{bound->binding} : std::nullopt});
  }
  return storage::insert_candidates(c.db, c.tenant, rows, c.now + c.rules.candidate_ttl, c.now);
}

result<offered_resources> run(change& c, const offer_resources& q) {
  auto installation = storage::find_installation(c.db, c.tenant, q.provider);
  if (!installation) return installation.error();
  if (!*installation) return error{errc::no_installation};
  auto known = tracker::attachables_of(c.db, c.tenant, q.provider);
  if (!known) return known.error();
  offered_resources out{std::move(**installation), {}};
  for (auto& a : *known) out.entries.push_back(offer(std::move(a)));
  std::vector<const offered*> all;
  all.reserve(out.entries.size());
  for (const auto& o : out.entries) all.push_back(&o);
  if (const auto stored = remember(c, all); !stored) return stored.error();
  return out;
}

result<> offer_all(change& c, proposed_binding& out, tracker::candidates ranked) {
  for (auto& r : ranked) {
    proposed_binding::ranked one;
    static_cast<offered&>(one) = offer(std::move(r.what));
    one.confidence = r.confidence;
    one.reason = r.reason;
    out.candidates.push_back(std::move(one));
  }
  std::vector<const offered*> all;
  all.reserve(out.candidates.size());
  for (const auto& o : out.candidates) all.push_back(&o);
  return remember(c, all);
}

result<proposed_binding> run(change& c, const propose_binding& q) {
  proposed_binding out;
  auto project = storage::find_project_by_uuid(c.db, c.tenant, q.who.project_uuid);
  if (!project) return project.error();
  if (*project) {
    out.project_slug = (*project)->slug;
    auto bound = storage::list_bindings(
        c.db, c.tenant, {.projects = {(*project)->id.str()}, .providers = {std::string{name_of(q.provider)}}},
        {}, 2);
    if (!bound) return bound.error();
    if (bound->size() == 1) {
      out.bound = std::move(bound->front());
      return out;
    }
  }
  auto known = tracker::attachables_of(c.db, c.tenant, q.provider);
  if (!known) return known.error();
  auto proposal = tracker::propose(q.who, std::move(*known));
  if (auto* ranked = std::get_if<tracker::candidates>(&proposal))
    if (const auto stored = offer_all(c, out, std::move(*ranked)); !stored) return stored.error();
  if (auto* exact = std::get_if<tracker::exact_match>(&proposal)) {
    out.exact = offer(std::move(exact->what));
    const offered* const one[] = {&*out.exact};
    if (const auto stored = remember(c, one); !stored) return stored.error();
  }
  return out;
}

// ---- binding

/// The resource, or the workspace where that is all there is, is another project's for good.
result<> free_for(change& c, const storage::stored_candidate& taken, const tracker::project_id& project) {
  std::optional<tracker::binding_id> holder;
  if (const auto& r = taken.at.resource) {
    const auto active =
        storage::find_active_resource(c.db, c.tenant, taken.at.provider, taken.at.workspace, r->type, r->id);
    if (!active) return active.error();
    if (*active) holder = (*active)->binding;
  } else {
    holder = taken.binding;
  }
  if (!holder) return {};
  const auto binding = storage::find_binding(c.db, c.tenant, *holder);
  if (!binding) return binding.error();
  const auto& b = *binding;
  const bool holds = b && b->live() && (taken.at.resource || b->state == tracker::binding_state::active);
  if (!holds || b->project == project) return {};
  return error{errc::already_bound}.with("binding_id", json::string{b->id.text()});
}

/// The project of that uuid; made when it is not known yet.
result<tracker::project> known_or_new(change& c, const tracker::project_identity& who) {
  auto known = storage::find_project_by_uuid(c.db, c.tenant, who.project_uuid);
  if (!known) return known.error();
  if (*known) return std::move(**known);
  return tracker::make_project(c, who.project_uuid, who.slug);
}

/// An active binding of the place, with whatever waited for it.
result<tracker::binding_view> attach(change& c, const tracker::project& owner, const tracker::place& at) {
  auto b = tracker::bind(c, owner, at.provider, at.workspace, tracker::binding_origin::bind_confirm);
  if (!b) return b.error();
  if (at.resource)
    if (const auto mapped = tracker::map_resource(*b, *at.resource); !mapped) return mapped.error();
  if (const auto ok = tracker::conclude(*b); !ok) return ok.error();
  if (const auto ok = tracker::apply_pending(c, b->row.id); !ok) return ok.error();
  return storage::view_binding(c.db, c.tenant, b->row.id);
}

result<tracker::binding_view> run(change& c, const confirm_binding& q) {
  const auto taken = storage::consume_candidate(c.db, c.tenant, q.provider, q.token_sha256, c.now);
  if (!taken) return taken.error();
  if (!*taken) return error{errc::invalid_candidate_token};
  const auto project = known_or_new(c, q.who);
  if (!project) return project.error();
  if (const auto ok = free_for(c, **taken, project->id); !ok) return ok.error();
  return attach(c, *project, (*taken)->at);
}

// ---- mission origins

result<> tell(change& c, const tracker::mission_origin& o, const tracker::routed& at) {
  tracker::activity row;
  row.id = tracker::activity_id::make();
  row.type = "tracker_mission_origin_bound";
  row.occurred_at = row.recorded_at = c.now;
  row.project = at.of->id;
  row.project_slug = at.of->slug;
  if (const auto* b = at.binding()) row.binding = b->row.id;
  row.actor = c.by;
  row.summary =
      tracker::shortened("Mission " + o.mission_slug.value_or(o.mission_key) + " comes from " + o.issue_key);
  row.url = "/dashboard/projects/" + at.of->id.str();
  row.payload.clear();
  json_writer w{row.payload};
  w.open().member("mission", o.mission_slug.value_or(o.mission_key));
  w.member("external_issue_key", o.issue_key).close();
  return storage::append_activity(c.db, c.tenant, {&row, 1});
}

result<bound_origin> run(change& c, const bind_origin& q) {
  auto at = tracker::find_way(c.db, c.tenant, q.route);
  if (!at) return at.error();
  auto wanted = q.wanted;
  wanted.id = tracker::origin_id::make();
  wanted.project = at->of->id;
  wanted.bound_at = c.now;
  auto claimed = storage::claim_mission_origin(c.db, c.tenant, wanted);
  if (!claimed) return claimed.error();
  if (claimed->row.issue_id != wanted.issue_id)
    return error{errc::origin_conflict}.with("external_issue_id", json::string{claimed->row.issue_id});
  if (claimed->created)
    if (const auto told = tell(c, claimed->row, *at); !told) return told.error();
  return bound_origin{std::move(claimed->row), claimed->created, std::move(*at)};
}

std::string object_of(const offer_resources&) { return {}; }
std::string object_of(const propose_binding&) { return {}; }
std::string object_of(const confirm_binding& q) { return q.who.project_uuid.str(); }
std::string object_of(const bind_origin& q) { return q.wanted.mission_key; }

}  // namespace

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_facade& c) {
  auto object = std::visit([](const auto& x) { return object_of(x); }, c.what);
  auto p = tracker_plan<facade_outcome>(s, state.row().id, c, std::move(object),
                                        [](change& at, const auto& command) { return run(at, command); });
  p.feeds = !c.only_offers();
  return p;
}

}  // namespace connectord
