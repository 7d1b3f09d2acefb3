#include "http/app.hpp"
#include "http/query.hpp"
#include "http/shapes.hpp"

/// The inbox as its tenant sees it: what arrived, what became of it, and once more.
namespace connectord::web {
namespace {

asio::awaitable<response> list_all(app& a, request& r) {
  query_reader q{r.query};
  list_deliveries l;
  l.filter.provider = provider_of(a, q);
  if (const auto s =
          q.one_of("status", {"received", "processed", "ignored", "unmatched", "failed", "quarantined"}))
    for (int i = 0; i < 6; ++i)
      if (connectord::name_of(static_cast<delivery_status>(i)) == *s)
        l.filter.status = static_cast<delivery_status>(i);
  l.filter.connection = q.id_of<connection_id>("connection_id");
  l.filter.received_after = q.time("received_after");
  l.filter.received_before = q.time("received_before");
  const auto bound = q.bound_to({"provider", "status", "connection_id", "received_after", "received_before"});
  l.at = page_of(a, r, q, bound);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto page = co_await list<delivery>(a, r, l);
  if (!page) co_return refuse(page.error(), r);
  const auto& rows = (*page)->rows;
  std::string body;
  json_writer w{body};
  w.open().key("deliveries").open_array();
  for (const auto& d : rows) write(w, d);
  w.close_array();
  std::optional<position> last;
  if ((*page)->more) last = position{to_millis(rows.back().received_at), rows.back().id.str()};
  w.member("next_cursor", next_cursor(a, r, bound, last)).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> get(app& a, request& r) {
  const auto id = path_id<delivery_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto found = co_await row<delivery_detail>(a, r, get_delivery{*id});
  if (!found) co_return refuse(found.error(), r);
  std::string body;
  json_writer w{body};
  write_detail(w, *found, a.catalog.version());
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> replay(app& a, request& r) {
  const auto id = path_id<delivery_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto body = r.optional_json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  replay_delivery c{*id, std::nullopt, r.received_at};
  if (const auto named = reader.optional_text("connection_id", {})) {
    c.connection = connection_id::parse(*named);
    if (!c.connection) reader.refuse("connection_id", "must be a UUID");
  }
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  auto key = idempotency_of(r, *body);
  if (!key) co_return refuse(key.error(), r);
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return refuse(meta.error(), r);
  tenant_command command_{std::move(*meta), mutation{c}};
  command_.key = std::move(*key);
  command_.render = [](const outcome& o) {
    const auto& done = std::get<replayed_delivery>(o);
    kept_answer answer{202, {}, {}};
    json_writer{answer.body}
        .open()
        .member("delivery_id", done.id.text())
        .member("receipt_id", done.receipt.text())
        .member("status", connectord::name_of(done.status))
        .close();
    return answer;
  };
  const auto render = command_.render;
  const auto done = co_await command(a, r, r.tenant(), std::move(command_));
  if (!done && done.error().code() == errc::tenant_not_found) co_return refuse(error{errc::not_found}, r);
  if (!done) co_return refuse(done.error(), r);
  const auto answer = done->replayed ? std::get<kept_answer>(done->value) : render(done->value);
  auto out = response::json(answer.status, answer.body);
  co_return done->replayed ? std::move(out).with("Idempotency-Replayed", "true") : std::move(out);
}

}  // namespace

void add_delivery_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text,
                       std::string_view scope, answer ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&)) {
    route r{m, path, id, "deliveries", text, tenant_with(scope), {ok}, std::move(errors)};
    r.handle = on(a, f);
    table.push_back(std::move(r));
  };
  add(verb::get, "/deliveries", "listDeliveries", "Deliveries, newest first", "deliveries:read",
      {200, "DeliveryList", "A page"}, {400}, list_all);
  table.back().parameters = {
      {"provider", R"({"type":"string"})", "Slug"},
      {"status",
       R"({"type":"string","enum":["received","processed","ignored","unmatched","failed","quarantined"]})",
       "Status"},
      {"connection_id", R"({"type":"string","format":"uuid"})", "Connection"},
      {"received_after", R"({"type":"string","format":"date-time"})", "Inclusive"},
      {"received_before", R"({"type":"string","format":"date-time"})", "Inclusive"},
      {"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"},
      {"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"}};
  add(verb::get, "/deliveries/{id}", "getDelivery", "One delivery with headers, payload and receipt",
      "deliveries:read", {200, "DeliveryDetail", "The delivery"}, {400, 404}, get);
  add(verb::post, "/deliveries/{id}/replay", "replayDelivery", "Process a delivery once more",
      "deliveries:write", {202, "Replayed", "What became of it"}, {400, 404, 409, 422}, replay);
  table.back().payload = payload::optional_json;
  table.back().body_schema = "ReplayDelivery";
  table.back().parameters = {{"Idempotency-Key", R"({"type":"string","maxLength":255})",
                              "Same key and body, same answer", false, "header"}};
}

}  // namespace connectord::web
