#include "http/tracker_filters.hpp"
#include "http/tracker_problem.hpp"

/// Snapshots as they come in, and their receipts (tracker-api, 4).
namespace connectord::web {
namespace {

constexpr seconds longest_wait{5};  // for a snapshot's turn

result<std::string> key_of(const request& r) {
  if (!r.header("idempotency-key")) return error{errc::idempotency_key_required};
  const auto key = well_formed_key(r);
  if (!key) return error{errc::idempotency_key_invalid};
  return std::string{*key};
}

response answer(const tracker::receipt& r, bool replayed) {
  std::string body;
  json_writer w{body};
  const bool queued = r.state == tracker::receipt_state::queued;
  write(w, r, replayed ? "replayed" : queued ? "queued" : "accepted");
  if (replayed) return tracker_json(200, std::move(body)).with("Idempotency-Replayed", "true");
  return tracker_json(queued ? 202 : 201, std::move(body));
}

void count(app& a, std::string_view provider, std::string_view result) {
  a.meters.tracker_snapshots({provider, result}).Increment();
}

/// `mismatch`: the key came with another body before.
std::string_view outcome_of(const result<snapshot_outcome>& done) {
  if (done)
    return done->replayed                                          ? "replayed"
           : done->receipt.state == tracker::receipt_state::queued ? "queued"
                                                                   : "applied";
  return done.error().code() == errc::idempotency_key_conflict ? "mismatch" : "refused";
}

error invalid_members(const tracker::refused_body& refused) {
  json::array errors;
  for (const auto& e : refused.errors)
    errors.push_back(
        json::object{{"path", e.path}, {"code", tracker::name_of(e.code)}, {"message", e.message}});
  return error{errc::validation_failed}.with("errors", std::move(errors));
}

error too_large(const tracker::oversized_body& b) {
  return error{errc::payload_too_large}
      .with("limit", json::string{b.limit})
      .with("max", b.max)
      .with("actual", b.actual);
}

/// Why a body cannot be taken in; a binding that it would have hit hears of it.
asio::awaitable<response> refuse_body(app& a, request& r, const body_read::reading& read) {
  const auto* refused = std::get_if<tracker::refused_body>(&read);
  count(a, refused && refused->route ? tracker::name_of(refused->route->provider) : "unknown", "invalid");
  if (const auto* big = std::get_if<tracker::oversized_body>(&read)) co_return refuse(too_large(*big), r);
  if (refused == nullptr) co_return refuse(error{errc::invalid_body}, r);
  if (refused->route) {
    note_rejected note{*refused->route, "validation_error", refused->errors.front().message};
    const auto noted = co_await command(a, r, std::move(note));
    if (!noted) co_return refuse(noted.error(), r);
  }
  co_return refuse(invalid_members(*refused), r);
}

asio::awaitable<response> post(app& a, request& r) {
  if (const auto text = r.json_text(); !text) co_return refuse(text.error(), r);
  auto key = key_of(r);
  if (!key) co_return refuse(key.error(), r);
  const auto bytes = std::make_shared<const std::string>(std::exchange(r.body, {}));
  const auto seen = co_await read(a, r, find_seen{*key, bytes});
  if (!seen) co_return refuse(seen.error(), r);
  if (const auto& before = (*seen)->receipt) {
    count(a, tracker::name_of(before->provider), "replayed");
    co_return answer(*before, true);
  }

  const read_body wanted{bytes, (*seen)->raw_sha256};
  const auto got = co_await ask(a.via, a.snapshots.get(), wanted, r.deadline);
  if (!got) co_return refuse(got.error(), r);
  const auto* parsed = std::get_if<parsed_snapshot>(got->value.get());
  if (parsed == nullptr) co_return co_await refuse_body(a, r, *got->value);

  ingest_snapshot asked{std::move(*key), std::shared_ptr<const parsed_snapshot>{got->value, parsed},
                        now_utc() + longest_wait};
  const auto done = co_await command(a, r, std::move(asked));
  count(a, tracker::name_of(parsed->body.route.provider), outcome_of(done));
  co_return done ? answer(done->receipt, done->replayed) : refuse(done.error(), r);
}

asio::awaitable<response> list_all(app& a, request& r) {
  list_reader q{a, r};
  list_receipts l;
  l.filter.bindings = id_texts(q, "binding_id");
  l.filter.states = names<tracker::receipt_state>(q, "state");
  l.filter.keys = q.texts("idempotency_key");
  co_return co_await page_of_rows(
      a, r, q, std::move(l), [](json_writer& w, const tracker::receipt& x) { write(w, x); },
      [](const tracker::receipt& x) {
        return sort_key{to_millis(x.received_at), x.id.str()};
      });
}

asio::awaitable<response> get(app& a, request& r) {
  return one_row<get_receipt, tracker::snapshot_id>(a, r, errc::receipt_not_found);
}

}  // namespace

void add_snapshot_routes(std::vector<route>& table, app* a) {
  auto& in = table.emplace_back(team_route(
      verb::post, "/api/v1/connectors/trackers/snapshots", "postTrackerSnapshot", "Take in a snapshot",
      tracker_with("tracker:write"), {201, "SnapshotReceipt", "Applied"}, {404, 409, 413, 415, 429}));
  in.answers.push_back({202, "SnapshotReceipt", "Waits for a project"});
  in.answers.push_back({200, "SnapshotReceipt", "Was there before"});
  in.payload = payload::json;
  in.body_schema = "TrackerSnapshot";
  if (a != nullptr) in.body_limit = a->facts.tracker.max_body;
  in.dialect = dialect::client;  // the path that published clients know
  in.handle = on(a, post);
  auto& list = table.emplace_back(team_route(
      verb::get, "/api/v1/connectors/trackers/snapshots", "listTrackerSnapshots", "Receipts, newest first",
      tracker_with("tracker:read"), {200, "SnapshotReceiptList", "A page"}));
  list.parameters = paged({{"binding_id", id_list_schema, "Of these bindings"},
                           {"state", text_list_schema, "applied, queued, superseded, discarded"},
                           {"idempotency_key", text_list_schema, "Under these keys"}});
  list.dialect = dialect::client;
  list.handle = on(a, list_all);
  table
      .emplace_back(team_route(verb::get, "/api/v1/connectors/trackers/snapshots/{id}", "getTrackerSnapshot",
                               "One receipt", tracker_with("tracker:read"),
                               {200, "SnapshotReceipt", "The receipt"}, {404}))
      .handle = on(a, get);
}

}  // namespace connectord::web
