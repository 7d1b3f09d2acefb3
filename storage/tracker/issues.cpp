#include "storage/tracker/issues.hpp"

#include "storage/bulk_statement.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"
#include "storage/tracker/sightings.hpp"

#include <algorithm>

namespace connectord::storage {
namespace {

#define ISSUE_COLUMNS                                                                                     \
  "i.id, i.binding_id, i.system, i.workspace, i.external_id, i.external_key, i.url, i.title, i.status,"   \
  " i.issue_type, i.priority, i.assignees, i.labels, i.external_updated_at, i.presence, i.first_seen_at," \
  " CASE WHEN i.presence = 'absent' THEN i.absent_seen_at ELSE b.evidence_at END,"                        \
  " CASE WHEN i.presence = 'absent' THEN i.absent_receipt_id ELSE b.evidence_receipt_id END"
/// Behind ISSUE_COLUMNS.
constexpr int body_column = 18;
#define OF_BINDING \
  " FROM tracker_issues i JOIN tracker_bindings b ON b.tenant_id = i.tenant_id AND b.id = i.binding_id"

/// A list column holds texts as JSON. Between commas, each of them is found with its quotes.
#define BETWEEN_COMMAS(column) "',' || SUBSTR(" column ", 2, LENGTH(" column ") - 2) || ','"

/// `system:workspace:id`, compared byte by byte.
#define IDENTITY(t) t ".system || ':' || " t ".workspace || ':' || " t ".external_id"

tracker::issue_view read_view(const row& r) {
  tracker::issue_view v;
  auto& i = v.issue;
  auto& c = i.content;
  i.id = read_id<tracker::issue_id>(r, 0);
  i.binding = read_id<tracker::binding_id>(r, 1);
  c.ref = {r.str(2), r.str(3), r.str(4)};
  c.key = r.maybe_str(5);
  c.url = r.maybe_str(6);
  c.title = r.text(7);
  c.status = read_word<tracker::external_status>(r, 8);
  c.type = read_word<tracker::issue_type>(r, 9);
  c.priority = maybe_int(r, 10);
  c.assignees = decode_texts(r.text(11));
  c.labels = decode_texts(r.text(12));
  c.updated_at = maybe_micros(r, 13);
  i.presence = read_word<tracker::presence>(r, 14);
  i.first_seen_at = r.time(15);
  i.last_seen_at = r.maybe_time(16).value_or(i.first_seen_at);
  i.last_receipt = maybe_id<tracker::snapshot_id>(r, 17);
  c.body = r.maybe_str(body_column);
  return v;
}

tracker::issue read_issue(const row& r) { return read_view(r).issue; }

/// Rows of an issue as the statements below take them; the texts outlive the call.
struct content_row {
  std::string assignees, labels;
};

/// Runs a bulk statement over `rows`, so many at a time that the arguments stay small.
template <class Row, class Append>
result<> in_chunks(std::span<const Row> rows, const Append& append) {
  constexpr std::size_t chunk = 256;
  for (; !rows.empty(); rows = rows.subspan(std::min(chunk, rows.size())))
    if (const auto ok = append(rows.first(std::min(chunk, rows.size()))); !ok) return ok;
  return {};
}

/// `"text",` between two commas.
std::vector<std::string> quoted(const tracker::any_of& values) {
  std::vector<std::string> out;
  for (const auto& v : values) {
    auto& text = out.emplace_back(",");
    append_json_string(text, v);
    text.push_back(',');
  }
  return out;
}

/// One of `texts` stands in the column: without it, the column would be another.
void with_listed(select& q, fragment without, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  q.raw(" AND (");
  for (const auto& text : texts) {
    if (&text != texts.data()) q.raw(" OR ");
    q.with(without, text).raw(", '')");
  }
  q.raw(")");
}

/// What the placeholders of a filter stand for; outlives the statement.
struct filter_texts {
  explicit filter_texts(const tracker::issue_filter& f)
      : assignees{quoted(f.assignees)}, labels{quoted(f.labels)} {
    if (f.q) q = like_pattern(*f.q);
    if (f.text) text = like_pattern(*f.text);
  }
  std::vector<std::string> assignees, labels;
  std::string q, text;
};

void narrow_by_text(select& q, const tracker::issue_filter& filter, const filter_texts& texts) {
  if (filter.q)
    q.with(" AND (LOWER(i.title) LIKE LOWER(", texts.q)
        .with(") ESCAPE '\\' OR LOWER(i.external_key) LIKE LOWER(", texts.q)
        .raw(") ESCAPE '\\')");
  if (filter.text)
    q.with(" AND (LOWER(i.title) LIKE LOWER(", texts.text)
        .with(") ESCAPE '\\' OR LOWER(i.external_key) LIKE LOWER(", texts.text)
        .with(") ESCAPE '\\' OR LOWER(i.body) LIKE LOWER(", texts.text)
        .raw(") ESCAPE '\\')");
  if (filter.named)
    q.with(" AND (LOWER(i.external_key) = LOWER(", *filter.named)
        .with(") OR LOWER(i.external_id) = LOWER(", *filter.named)
        .raw("))");
}

/// The issues of live bindings that fit.
void narrow(select& q, const tenant_id& tenant, const tracker::issue_filter& filter,
            const filter_texts& texts) {
  q.with(" WHERE i.tenant_id = ", tenant)
      .raw(" AND b.state <> 'deleted'")
      .with_one_of(" AND i.binding_id", filter.bindings)
      .with_one_of(" AND b.project_id", filter.projects)
      .with_one_of(" AND b.provider", filter.providers)
      .with_one_of(" AND i.workspace", filter.workspaces)
      .with_one_of(" AND i.status", filter.statuses)
      .with_one_of(" AND i.issue_type", filter.types)
      .with_one_of(" AND i.presence", filter.presences)
      .with_any(" AND i.external_updated_at >= ", to_micros(filter.updated_since));
  with_listed(q, BETWEEN_COMMAS("i.assignees") " <> REPLACE(" BETWEEN_COMMAS("i.assignees") ", ",
              texts.assignees);
  with_listed(q, BETWEEN_COMMAS("i.labels") " <> REPLACE(" BETWEEN_COMMAS("i.labels") ", ", texts.labels);
  if (filter.linked)
    q.raw(*filter.linked ? fragment{" AND EXISTS"} : fragment{" AND NOT EXISTS"})
        .raw(
            " (SELECT 1 FROM tracker_links l WHERE l.tenant_id = i.tenant_id AND l.binding_id = i.binding_id"
            " AND l.external_id = i.external_id AND l.workspace = i.workspace AND l.system = i.system)");
  narrow_by_text(q, filter, texts);
}

result<> attach_links(session& s, tenant_id tenant, std::vector<tracker::issue_view>& views) {
  for (auto& v : views) {
    const auto& ref = v.issue.content.ref;
    const auto ok = s.query(
        "SELECT id, wp_id, mission FROM tracker_links WHERE tenant_id = $1 AND binding_id = $2"
        " AND external_id = $3 AND workspace = $4 AND system = $5 ORDER BY claimed_at, ordinal",
        {tenant, v.issue.binding, ref.id, ref.workspace, ref.system}, [&](const row& r) {
          v.links.push_back({read_id<tracker::link_id>(r, 0), {r.str(1), r.str(2)}});
        });
    if (!ok) return ok;
  }
  return {};
}

}  // namespace

result<std::vector<issue_mark>> issue_marks(session& s, tenant_id tenant, tracker::binding_id binding) {
  return all_of(s,
                select{"SELECT id, system, workspace, external_id, fingerprint, external_updated_at, presence"
                       " FROM tracker_issues"}
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND binding_id = ", binding),
                [](const row& r) {
                  return issue_mark{read_id<tracker::issue_id>(r, 0),
                                    {r.str(1), r.str(2), r.str(3)},
                                    {r.str(4), maybe_micros(r, 5)},
                                    r.text(6) == name_of(tracker::presence::absent)};
                });
}

result<> insert_issues(session& s, tenant_id tenant, tracker::binding_id binding,
                       std::span<const marked_issue> rows, timestamp now) {
  static const bulk_statement insert{
      "INSERT INTO tracker_issues (tenant_id, id, binding_id, system, workspace, external_id, presence,"
      " fingerprint, external_updated_at, first_seen_at, status, issue_type, priority, external_key, url,"
      " assignees, labels, title, body)",
      19};
  return in_chunks(rows, [&](std::span<const marked_issue> part) {
    std::vector<content_row> texts;
    std::vector<param> arguments;
    texts.reserve(part.size());
    for (const auto& [id, content, mark] : part) {
      const auto& c = *content;
      const auto& [assignees, labels] =
          texts.emplace_back(content_row{encode_texts(c.assignees), encode_texts(c.labels)});
      arguments.insert(arguments.end(), {tenant, id, binding, c.ref.system, c.ref.workspace, c.ref.id,
                                         name_of(tracker::presence::present), mark->fingerprint,
                                         to_micros(c.updated_at), now, name_of(c.status), name_of(c.type),
                                         c.priority, c.key, c.url, assignees, labels, c.title, c.body});
    }
    return insert.run(s, arguments);
  });
}

result<> update_issues(session& s, tenant_id tenant, std::span<const marked_issue> rows) {
  for (const auto& [id, content, mark] : rows) {
    const auto& c = *content;
    const auto assignees = encode_texts(c.assignees), labels = encode_texts(c.labels);
    const auto stored = s.execute(
        "UPDATE tracker_issues SET fingerprint = $3, external_updated_at = $4, status = $5, issue_type = $6,"
        " priority = $7, external_key = $8, url = $9, assignees = $10, labels = $11, title = $12, body = $13"
        " WHERE tenant_id = $1 AND id = $2",
        {tenant, id, mark->fingerprint, to_micros(c.updated_at), name_of(c.status), name_of(c.type),
         c.priority, c.key, c.url, assignees, labels, c.title, c.body});
    if (!stored) return stored.error();
  }
  return {};
}

result<> mark_absent(session& s, tenant_id tenant, std::span<const tracker::issue_id> ids,
                     const last_evidence& seen) {
  for (const auto& id : ids) {
    const auto stored = s.execute(
        "UPDATE tracker_issues SET presence = 'absent', absent_seen_at = $3, absent_receipt_id = $4"
        " WHERE tenant_id = $1 AND id = $2",
        {tenant, id, seen.at, seen.receipt});
    if (!stored) return stored.error();
  }
  return {};
}

result<> mark_present(session& s, tenant_id tenant, std::span<const tracker::issue_id> ids) {
  for (const auto& id : ids) {
    const auto stored = s.execute(
        "UPDATE tracker_issues SET presence = 'present', absent_seen_at = NULL, absent_receipt_id = NULL"
        " WHERE tenant_id = $1 AND id = $2",
        {tenant, id});
    if (!stored) return stored.error();
  }
  return {};
}

result<std::vector<tracker::issue>> find_issues(session& s, tenant_id tenant, tracker::binding_id binding,
                                                std::string_view system, std::string_view external_id,
                                                const std::vector<std::string>& workspaces) {
  return all_of(s,
                select{"SELECT " ISSUE_COLUMNS ", i.body" OF_BINDING}
                    .with(" WHERE i.tenant_id = ", tenant)
                    .with(" AND i.binding_id = ", binding)
                    .with_one_of(" AND i.workspace", workspaces)
                    .with(" AND i.external_id = ", external_id)
                    .with(" AND i.system = ", system),
                [](const row& r) { return read_view(r).issue; });
}

result<bool> issue_is_present(session& s, tenant_id tenant, tracker::binding_id binding,
                              const tracker::identity& target) {
  const auto found = find_one(s,
                              "SELECT presence FROM tracker_issues WHERE tenant_id = $1 AND binding_id = $2"
                              " AND workspace = $3 AND external_id = $4 AND system = $5",
                              {tenant, binding, target.workspace, target.id, target.system},
                              [](const row& r) { return read_word<tracker::presence>(r, 0); });
  if (!found) return found.error();
  return *found == tracker::presence::present;
}

result<std::vector<tracker::issue_content>> issue_contents(
    session& s, tenant_id tenant, tracker::binding_id binding,
    const std::optional<std::span<const tracker::identity>>& targets) {
  std::vector<tracker::issue_content> found;
  const auto take = [&](const row& r) { found.push_back(read_view(r).issue.content); };
  const auto head = [&] {
    return select{"SELECT " ISSUE_COLUMNS ", NULL" OF_BINDING}
        .with(" WHERE i.tenant_id = ", tenant)
        .with(" AND i.binding_id = ", binding);
  };
  if (!targets) {
    if (const auto ok = head().run(s, take); !ok) return ok.error();
    return found;
  }
  for (const auto& t : *targets) {
    const auto ok = head()
                        .with(" AND i.workspace = ", t.workspace)
                        .with(" AND i.external_id = ", t.id)
                        .with(" AND i.system = ", t.system)
                        .run(s, take);
    if (!ok) return ok.error();
  }
  return found;
}

result<std::vector<tracker::issue_view>> list_issues(session& s, tenant_id tenant,
                                                     const tracker::issue_filter& filter,
                                                     const std::optional<sort_key>& after, int limit,
                                                     bool with_body) {
  auto q = with_body ? select{"SELECT " ISSUE_COLUMNS ", i.body" OF_BINDING}
                     : select{"SELECT " ISSUE_COLUMNS ", NULL" OF_BINDING};
  const filter_texts texts{filter};
  narrow(q, tenant, filter, texts);
  q.beyond(" AND (i.workspace, i.external_id, i.id) > (", after);
  q.raw(" ORDER BY i.workspace, i.external_id, i.id").with(" LIMIT ", limit);
  auto views = all_of(s, q, read_view);
  if (!views) return views;
  if (const auto ok = attach_links(s, tenant, *views); !ok) return ok.error();
  return views;
}

result<std::vector<tracker::issue>> issues_by_identity(session& s, tenant_id tenant,
                                                       const tracker::issue_filter& filter,
                                                       const std::optional<tracker::issue_id>& after,
                                                       int limit) {
  select q{"SELECT " ISSUE_COLUMNS ", i.body" OF_BINDING};
  const filter_texts texts{filter};
  narrow(q, tenant, filter, texts);
  if (after)
    q.with(" AND (" IDENTITY("i") ", i.id) > (SELECT " IDENTITY("a") ", a.id FROM tracker_issues a"
           " WHERE a.tenant_id = ", tenant)
        .with(" AND a.id = ", *after)
        .raw(")");
  return all_of(s, q.raw(" ORDER BY " IDENTITY("i") ", i.id").with(" LIMIT ", limit), read_issue);
}

result<std::vector<tracker::issue>> newest_issues(session& s, tenant_id tenant,
                                                  const tracker::issue_filter& filter, int limit) {
  select q{"SELECT " ISSUE_COLUMNS ", i.body" OF_BINDING};
  const filter_texts texts{filter};
  narrow(q, tenant, filter, texts);
  q.raw(" ORDER BY i.external_updated_at IS NULL, i.external_updated_at DESC, " IDENTITY("i") ", i.id");
  return all_of(s, q.with(" LIMIT ", limit), read_issue);
}

result<tracker::issue_view> view_issue(session& s, tenant_id tenant, tracker::issue_id id) {
  auto found = all_of(s,
                      select{"SELECT " ISSUE_COLUMNS ", i.body" OF_BINDING}
                          .with(" WHERE i.tenant_id = ", tenant)
                          .with(" AND i.id = ", id),
                      read_view);
  if (!found) return found.error();
  if (found->empty()) return error{errc::not_found};
  if (const auto ok = attach_links(s, tenant, *found); !ok) return ok.error();
  auto& view = found->front();
  auto sightings = sightings_of(s, tenant, view.issue.binding, id);
  if (!sightings) return sightings.error();
  view.views = tracker::views_of(view.issue, std::move(*sightings));
  return std::move(view);
}

}  // namespace connectord::storage
