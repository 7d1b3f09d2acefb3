#include "storage/tracker/candidates.hpp"

#include "storage/bulk_statement.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

#define CANDIDATE_COLUMNS "token_sha256, provider, workspace, resource_type, resource_id, binding_id"

stored_candidate read_candidate(const row& r) {
  stored_candidate c{r.str(0),
                     {read_word<tracker::provider>(r, 1), r.str(2), std::nullopt},
                     maybe_id<tracker::binding_id>(r, 5)};
  if (!r.is_null(3)) c.at.resource = tracker::resource_key{r.str(3), r.str(4)};
  return c;
}

}  // namespace

result<> insert_candidates(session& s, tenant_id tenant, std::span<const stored_candidate> rows,
                           timestamp expires_at, timestamp now) {
  const auto gone =
      s.execute("DELETE FROM tracker_candidates WHERE tenant_id = $1 AND expires_at <= $2", {tenant, now});
  if (!gone) return gone.error();
  static const bulk_statement insert{
      "INSERT INTO tracker_candidates (tenant_id, " CANDIDATE_COLUMNS ", expires_at)", 8};
  std::vector<param> arguments;
  arguments.reserve(rows.size() * 8);
  for (const auto& c : rows) {
    const auto& resource = c.at.resource;
    arguments.insert(arguments.end(),
                     {tenant, c.token_sha256, name_of(c.at.provider), c.at.workspace,
                      resource ? param{resource->type} : param{nullptr},
                      resource ? param{resource->id} : param{nullptr}, c.binding, expires_at});
  }
  return insert.run(s, arguments);
}

result<std::optional<stored_candidate>> consume_candidate(session& s, tenant_id tenant,
                                                          tracker::provider provider,
                                                          std::string_view token_sha256, timestamp now) {
  return find_one(s,
                  "DELETE FROM tracker_candidates WHERE tenant_id = $1 AND token_sha256 = $2"
                  " AND provider = $3 AND expires_at > $4 RETURNING " CANDIDATE_COLUMNS,
                  {tenant, token_sha256, name_of(provider), now}, read_candidate);
}

}  // namespace connectord::storage
