#include "storage/tracker/bindings.hpp"

#include "base/crockford.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"
#include "storage/tracker/resources.hpp"

namespace connectord::storage {
namespace {

#define BINDING_COLUMNS                                                                                   \
  "b.id, b.ref, b.project_id, b.provider, b.workspace, b.display_label, b.state, b.origin, b.doctrine,"   \
  " b.doctrine_source, b.reported_doctrine, b.health, b.sequence, b.last_snapshot_at, b.last_receipt_id," \
  " b.created_at, b.updated_at, b.evidence, b.evidence_at, b.evidence_receipt_id, b.failures,"            \
  " b.next_ordinal, b.issues, b.issues_absent, b.links, b.issues_digest, b.drift_open"
/// Behind BINDING_COLUMNS.
constexpr int own_columns = 27;

tracker::binding_tally read_tally(const row& r) {
  return {.evidence = r.integer(17),
          .evidence_at = r.maybe_time(18),
          .evidence_receipt = maybe_id<tracker::snapshot_id>(r, 19),
          .failures = static_cast<int>(r.integer(20)),
          .next_ordinal = r.integer(21),
          .issues = r.integer(22),
          .issues_absent = r.integer(23),
          .links = r.integer(24),
          .drift_open = decode_kinds(r.text(26)),
          .issues_digest = r.maybe_str(25)};
}

tracker::stored_binding read_binding(const row& r) {
  tracker::stored_binding b;
  b.id = read_id<tracker::binding_id>(r, 0);
  b.ref = r.text(1);
  b.project = read_id<tracker::project_id>(r, 2);
  b.provider = read_word<tracker::provider>(r, 3);
  b.workspace = r.text(4);
  b.display_label = r.text(5);
  b.state = read_word<tracker::binding_state>(r, 6);
  b.origin = read_word<tracker::binding_origin>(r, 7);
  b.effective = decode_doctrine(r.text(8));
  b.source = read_word<tracker::doctrine_source>(r, 9);
  if (!r.is_null(10)) b.reported = decode_doctrine(r.text(10));
  b.health = read_word<tracker::health>(r, 11);
  b.sequence = r.integer(12);
  b.last_snapshot_at = r.maybe_time(13);
  b.last_receipt = maybe_id<tracker::snapshot_id>(r, 14);
  b.created_at = r.time(15);
  b.updated_at = r.time(16);
  b.tally = read_tally(r);
  return b;
}

tracker::binding_view read_view(const row& r) {
  return {.row = read_binding(r),
          .project = {read_id<tracker::project_id>(r, 2), maybe_uuid(r, own_columns), r.str(own_columns + 1)},
          .resources{}};
}

select selected() { return select{"SELECT " BINDING_COLUMNS " FROM tracker_bindings b"}; }
select viewed() {
  return select{"SELECT " BINDING_COLUMNS
                ", p.project_uuid, p.slug FROM tracker_bindings b"
                " JOIN projects p ON p.tenant_id = b.tenant_id AND p.id = b.project_id"};
}

std::optional<std::string> encoded(const std::optional<tracker::doctrine>& d) {
  return d ? std::optional{encode_doctrine(*d)} : std::nullopt;
}

result<> complete(session& s, tenant_id tenant, tracker::binding_view& v) {
  auto resources = resources_of(s, tenant, v.row.id);
  if (!resources) return resources.error();
  v.resources = std::move(*resources);
  return {};
}

result<std::vector<tracker::binding_view>> completed(session& s, tenant_id tenant, const select& q) {
  auto views = all_of(s, q, read_view);
  if (!views) return views;
  for (auto& v : *views)
    if (const auto ok = complete(s, tenant, v); !ok) return ok.error();
  return views;
}

}  // namespace

result<> insert_binding(session& s, tenant_id tenant, const tracker::stored_binding& b) {
  if (const auto made = ensure_installation(s, tenant, b.provider, b.created_at); !made) return made.error();
  const auto doctrine = encode_doctrine(b.effective);
  const auto reported = encoded(b.reported);
  return done(
      s.execute("INSERT INTO tracker_bindings (tenant_id, id, ref, project_id, provider, workspace, "
                "display_label, state,"
                " origin, doctrine, doctrine_source, reported_doctrine, health, sequence, evidence, failures,"
                " next_ordinal, issues, issues_absent, links, created_at, updated_at) VALUES"
                " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0, 0, 0, 0, 0, $14, $15)",
                {tenant, b.id, b.ref, b.project, name_of(b.provider), b.workspace, b.display_label,
                 name_of(b.state), name_of(b.origin), doctrine, name_of(b.source), reported,
                 name_of(b.health), b.created_at, b.updated_at}));
}

result<> update_binding(session& s, tenant_id tenant, const tracker::stored_binding& b,
                        std::optional<timestamp> check_at) {
  const auto doctrine = encode_doctrine(b.effective);
  const auto reported = encoded(b.reported);
  const auto drift = encode_kinds(b.tally.drift_open);
  const auto& n = b.tally;
  return changed_one(s.execute(
      "UPDATE tracker_bindings SET display_label = $3, state = $4, doctrine = $5, doctrine_source = $6,"
      " reported_doctrine = $7, health = $8, sequence = $9, last_snapshot_at = $10, last_receipt_id = $11,"
      " evidence = $12, evidence_at = $13, evidence_receipt_id = $14, failures = $15, next_ordinal = $16,"
      " issues = (SELECT COUNT(*) FROM tracker_issues WHERE tenant_id = $1 AND binding_id = $2),"
      " issues_absent = (SELECT COUNT(*) FROM tracker_issues WHERE tenant_id = $1 AND binding_id = $2"
      " AND presence = 'absent'),"
      " links = (SELECT COUNT(*) FROM tracker_links WHERE tenant_id = $1 AND binding_id = $2),"
      " check_at = $17, updated_at = $18, issues_digest = $19, drift_open = $20"
      " WHERE tenant_id = $1 AND id = $2",
      {tenant,          b.id,
       b.display_label, name_of(b.state),
       doctrine,        name_of(b.source),
       reported,        name_of(b.health),
       b.sequence,      b.last_snapshot_at,
       b.last_receipt,  n.evidence,
       n.evidence_at,   n.evidence_receipt,
       n.failures,      n.next_ordinal,
       check_at,        b.updated_at,
       n.issues_digest, drift}));
}

result<std::optional<tracker::stored_binding>> find_binding(session& s, tenant_id tenant,
                                                            tracker::binding_id id) {
  return find_one(s, "SELECT " BINDING_COLUMNS " FROM tracker_bindings b WHERE tenant_id = $1 AND id = $2",
                  {tenant, id}, read_binding);
}

result<std::optional<tracker::binding_id>> find_binding_id(session& s, tenant_id tenant,
                                                           std::string_view ref) {
  return find_one(s,
                  "SELECT id FROM tracker_bindings WHERE tenant_id = $1 AND ref = $2 AND state <> 'deleted'",
                  {tenant, ref}, [](const row& r) { return read_id<tracker::binding_id>(r, 0); });
}

result<std::optional<tracker::stored_binding>> find_binding_of(session& s, tenant_id tenant,
                                                               tracker::project_id project,
                                                               tracker::provider provider,
                                                               std::string_view workspace) {
  return find_one(s,
                  "SELECT " BINDING_COLUMNS
                  " FROM tracker_bindings b WHERE tenant_id = $1 AND project_id = $2 AND provider = $3"
                  " AND workspace = $4 ORDER BY CASE WHEN state = 'deleted' THEN 1 ELSE 0 END,"
                  " created_at DESC, id DESC LIMIT 1",
                  {tenant, project, name_of(provider), workspace}, read_binding);
}

result<std::vector<tracker::stored_binding>> bindings_of_workspace(session& s, tenant_id tenant,
                                                                   tracker::provider provider,
                                                                   std::string_view workspace) {
  return all_of(s,
                selected()
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND provider = ", name_of(provider))
                    .with(" AND workspace = ", workspace)
                    .raw(" AND state <> 'deleted' LIMIT 2"),
                read_binding);
}

result<std::vector<tracker::stored_binding>> bindings_of_project(session& s, tenant_id tenant,
                                                                 tracker::project_id project) {
  return all_of(s,
                selected()
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND project_id = ", project)
                    .raw(" AND state <> 'deleted' ORDER BY created_at, id"),
                read_binding);
}

result<std::vector<tracker::stored_binding>> live_bindings(session& s, tenant_id tenant) {
  return all_of(s,
                selected()
                    .with(" WHERE tenant_id = ", tenant)
                    .raw(" AND state <> 'deleted' ORDER BY project_id, created_at, id"),
                read_binding);
}

result<std::vector<tracker::binding_view>> list_bindings(session& s, tenant_id tenant,
                                                         const tracker::binding_filter& filter,
                                                         const std::optional<sort_key>& after, int limit) {
  auto q = viewed();
  q.with(" WHERE b.tenant_id = ", tenant)
      .raw(" AND b.state <> 'deleted'")
      .with_one_of(" AND b.id", filter.ids)
      .with_one_of(" AND b.project_id", filter.projects)
      .with_one_of(" AND b.provider", filter.providers)
      .with_one_of(" AND b.workspace", filter.workspaces)
      .with_one_of(" AND b.state", filter.states)
      .with_one_of(" AND b.health", filter.healths);
  q.beyond(" AND (b.created_at, b.id) > (", after);
  q.raw(" ORDER BY b.created_at, b.id").with(" LIMIT ", limit);
  return completed(s, tenant, q);
}

result<tracker::binding_view> view_binding(session& s, tenant_id tenant, tracker::binding_id id) {
  auto found = completed(s, tenant,
                         viewed()
                             .with(" WHERE b.tenant_id = ", tenant)
                             .with(" AND b.id = ", id)
                             .raw(" AND b.state <> 'deleted'"));
  if (!found) return found.error();
  if (found->empty()) return error{errc::not_found};
  return std::move(found->front());
}

result<std::vector<tenant_id>> tenants_to_check(session& s, timestamp now,
                                                const std::optional<tenant_id>& after, int most) {
  return all_of(
      s,
      select{"SELECT DISTINCT b.tenant_id FROM tracker_bindings b JOIN tenants t ON t.id = b.tenant_id"}
          .with(" WHERE t.status = 'active' AND b.check_at <= ", now)
          .with(" AND b.tenant_id > ", after ? after->text() : std::string_view{})
          .raw(" ORDER BY b.tenant_id")
          .with(" LIMIT ", most),
      [](const row& r) { return read_id<tenant_id>(r, 0); });
}

result<std::vector<tracker::stored_binding>> bindings_to_check(session& s, tenant_id tenant, timestamp now,
                                                               int most) {
  return all_of(s,
                selected()
                    .with(" WHERE check_at <= ", now)
                    .with(" AND tenant_id = ", tenant)
                    .raw(" ORDER BY check_at, id")
                    .with(" LIMIT ", most),
                read_binding);
}

result<std::string> ensure_installation(session& s, tenant_id tenant, tracker::provider provider,
                                        timestamp now) {
  const auto id = crockford_id("inst_");
  const auto made = s.execute(
      "INSERT INTO tracker_installations (tenant_id, provider, id, created_at) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (tenant_id, provider) DO NOTHING",
      {tenant, name_of(provider), id, now});
  if (!made) return made.error();
  if (*made > 0) return id;
  const auto known = find_installation(s, tenant, provider);
  if (!known) return known.error();
  return known->value();
}

result<std::optional<std::string>> find_installation(session& s, tenant_id tenant,
                                                     tracker::provider provider) {
  return find_one(s, "SELECT id FROM tracker_installations WHERE tenant_id = $1 AND provider = $2",
                  {tenant, name_of(provider)}, [](const row& r) { return r.str(0); });
}

}  // namespace connectord::storage
