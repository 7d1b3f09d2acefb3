#include "http/app.hpp"
#include "http/shapes.hpp"

/// Sync on demand. Jobs are listed with the signals that they make.
namespace connectord::web {
namespace {

struct wanted_sync {
  request_sync what;
  json::object body;
};

result<wanted_sync> read_wanted(request& r, const std::string& provider) {
  wanted_sync out{{provider, {}, job_type::incremental, r.received_at}, {}};
  if (r.body.empty()) return out;
  auto body = r.json_body();
  if (!body) return body.error();
  object_reader reader{*body};
  if (const auto id = reader.optional_text("connection_id", {})) {
    out.what.connection = connection_id::parse(*id);
    if (!out.what.connection) reader.refuse("connection_id", "must be a UUID");
  }
  if (const auto mode = reader.optional_text("mode", {})) {
    if (*mode != "incremental" && *mode != "full") reader.refuse("mode", "must be incremental or full");
    if (*mode == "full") out.what.mode = job_type::full;
  }
  if (const auto ok = reader.finish(); !ok) return ok.error();
  out.body = std::move(*body);
  return out;
}

std::string rendered(const queued_sync& q) {
  std::string body;
  json_writer w{body};
  w.open().member("job_id", q.jobs.front().row.id.text()).member("state", "queued").key("jobs").open_array();
  for (const auto& j : q.jobs)
    w.open()
        .member("job_id", j.row.id.text())
        .member("connection_id", j.row.connection.text())
        .member("state", name_of(j.row.status))
        .member("coalesced", j.coalesced)
        .close();
  w.close_array().close();
  return body;
}

asio::awaitable<response> sync(app& a, request& r) {
  const auto* definition = a.catalog.find(r.param("provider"));
  if (definition == nullptr) co_return refuse(error{errc::not_found}, r);
  if (!definition->sync) co_return refuse(invalid("provider", "has nothing to sync"), r);
  auto wanted = read_wanted(r, definition->slug);
  if (!wanted) co_return refuse(wanted.error(), r);
  auto key = idempotency_of(r, wanted->body);
  if (!key) co_return refuse(key.error(), r);
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return refuse(meta.error(), r);
  tenant_command c{std::move(*meta), mutation{std::move(wanted->what)}};
  c.provision = r.who->is_operator && a.facts.auto_provision;
  c.key = std::move(*key);
  c.render = [](const outcome& o) { return kept_answer{202, rendered(std::get<queued_sync>(o)), {}}; };
  const auto made = co_await command(a, r, r.tenant(), std::move(c));
  if (!made) co_return refuse(made.error(), r);
  if (!made->replayed) co_return response::json(202, rendered(std::get<queued_sync>(made->value)));
  const auto& kept = std::get<kept_answer>(made->value);
  co_return response::json(kept.status, kept.body).with("Idempotency-Replayed", "true");
}

}  // namespace

void add_sync_routes(std::vector<route>& table, app* a) {
  route r{verb::post,
          "/sync/{provider}",
          "syncProvider",
          "jobs",
          "Queue a run for the tenant's connections of a provider",
          tenant_with("sync:write"),
          {{202, "StartedSync", "Queued, or found in the queue"}},
          {400, 404, 409, 422}};
  r.parameters = {{"Idempotency-Key", R"({"type":"string","maxLength":255})",
                   "Same key and body, same answer", false, "header"}};
  r.payload = payload::optional_json;
  r.body_schema = "StartSync";
  r.handle = on(a, sync);
  table.push_back(std::move(r));
}

}  // namespace connectord::web
