#include "storage/tracker/queue.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

#define QUEUE_COLUMNS                                                                                   \
  "id, receipt_id, scope, provider, workspace, resource_type, resource_id, project_uuid, project_slug," \
  " issue_count, mapping_count, reason, state, received_at, resolved_at"

tracker::queue_item read_item(const row& r) {
  tracker::queue_item q;
  q.id = read_id<tracker::queue_id>(r, 0);
  q.receipt = read_id<tracker::snapshot_id>(r, 1);
  q.scope = r.text(2);
  q.route.provider = read_word<tracker::provider>(r, 3);
  q.route.workspace = r.text(4);
  if (!r.is_null(5)) q.route.resource = tracker::resource_key{r.str(5), r.str(6)};
  q.route.project_uuid_text = r.maybe_str(7);
  q.route.project_uuid = maybe_uuid(r, 7);
  q.route.project_slug = r.maybe_str(8);
  q.issue_count = static_cast<int>(r.integer(9));
  q.mapping_count = static_cast<int>(r.integer(10));
  q.reason = read_word<tracker::queue_reason>(r, 11);
  q.state = read_word<tracker::queue_state>(r, 12);
  q.received_at = r.time(13);
  q.resolved_at = r.maybe_time(14);
  return q;
}

}  // namespace

result<> insert_queue_item(session& s, tenant_id tenant, const tracker::queue_item& q) {
  const auto& to = q.route;
  const auto type = to.resource ? std::optional{to.resource->type} : std::nullopt;
  const auto id = to.resource ? std::optional{to.resource->id} : std::nullopt;
  return done(s.execute(
      "INSERT INTO tracker_queue (tenant_id, " QUEUE_COLUMNS
      ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, NULL)",
      {tenant, q.id, q.receipt, q.scope, name_of(to.provider), to.workspace, type, id, to.project_uuid_text,
       to.project_slug, q.issue_count, q.mapping_count, name_of(q.reason), name_of(q.state), q.received_at}));
}

result<> update_queue_item(session& s, tenant_id tenant, const tracker::queue_item& q) {
  return changed_one(
      s.execute("UPDATE tracker_queue SET state = $3, resolved_at = $4 WHERE tenant_id = $1 AND id = $2",
                {tenant, q.id, name_of(q.state), q.resolved_at}));
}

result<std::optional<tracker::queue_item>> find_queue_item(session& s, tenant_id tenant,
                                                           tracker::queue_id id) {
  return find_one(s, "SELECT " QUEUE_COLUMNS " FROM tracker_queue WHERE tenant_id = $1 AND id = $2",
                  {tenant, id}, read_item);
}

result<std::optional<tracker::queue_item>> find_pending(session& s, tenant_id tenant,
                                                        std::string_view scope) {
  return find_one(s,
                  "SELECT " QUEUE_COLUMNS
                  " FROM tracker_queue WHERE tenant_id = $1 AND scope = $2 AND state = 'pending'",
                  {tenant, scope}, read_item);
}

result<std::vector<tracker::queue_item>> pending_of_workspace(session& s, tenant_id tenant,
                                                              tracker::provider provider,
                                                              std::string_view workspace) {
  return all_of(s,
                select{"SELECT " QUEUE_COLUMNS " FROM tracker_queue"}
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND provider = ", name_of(provider))
                    .with(" AND workspace = ", workspace)
                    .raw(" AND state = 'pending' ORDER BY received_at, id"),
                read_item);
}

result<bool> waits_for_project(session& s, tenant_id tenant, tracker::project_id project) {
  const auto found = find_one(
      s,
      "SELECT 1 FROM tracker_queue q JOIN projects p ON p.tenant_id = q.tenant_id AND p.id = $2"
      " WHERE q.tenant_id = $1 AND q.state = 'pending' AND LOWER(q.project_uuid) = p.project_uuid LIMIT 1",
      {tenant, project}, [](const row&) { return true; });
  if (!found) return found.error();
  return found->has_value();
}

result<std::int64_t> count_pending(session& s, tenant_id tenant) {
  std::int64_t count = 0;
  const auto ok = s.query("SELECT COUNT(*) FROM tracker_queue WHERE tenant_id = $1 AND state = 'pending'",
                          {tenant}, [&](const row& r) { count = r.integer(0); });
  if (!ok) return ok.error();
  return count;
}

result<std::vector<tracker::queue_item>> list_queue(session& s, tenant_id tenant,
                                                    const tracker::queue_filter& filter,
                                                    const std::optional<sort_key>& after, int limit) {
  select q{"SELECT " QUEUE_COLUMNS " FROM tracker_queue"};
  q.with(" WHERE tenant_id = ", tenant)
      .with_one_of(" AND state", filter.states)
      .with_one_of(" AND provider", filter.providers);
  q.beyond(" AND (received_at, id) < (", after);
  return all_of(s, q.raw(" ORDER BY received_at DESC, id DESC").with(" LIMIT ", limit), read_item);
}

}  // namespace connectord::storage
