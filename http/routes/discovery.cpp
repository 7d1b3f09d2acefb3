#include "http/list.hpp"
#include "http/offers.hpp"
#include "http/query.hpp"

/// What the account of a connection has that a tracker can be bound to.
namespace connectord::web {
namespace {

void write_names(json_writer& w, std::string_view name, const std::vector<std::string>& all) {
  w.key(name).open_array();
  for (const auto& one : all) w.value(std::string_view{one});
  w.close_array();
}

void write(json_writer& w, const offers& all, const offer& o) {
  w.open().member("resource_type", all.found->type).member("label", o.what->label);
  write_names(w, "ids", o.what->ids);
  write_names(w, "workspaces", o.what->workspaces);
  if (o.bound == nullptr)
    w.raw_member("bound", "null");
  else
    w.key("bound")
        .open()
        .member("binding_id", o.bound->row.id.text())
        .member("project_slug", o.bound->project.slug)
        .close();
  w.close();
}

response rendered(const list_reader& q, const keyset& at, const offers& all) {
  std::string body;
  json_writer w{body};
  w.open().key("items").open_array();
  int shown = 0;
  std::optional<sort_key> last;
  bool more = false;
  for (const auto& o : all.list) {
    auto here = key_of(o);
    if (at.after && here <= *at.after) continue;
    if (shown == at.limit) {
      more = true;
      break;
    }
    write(w, all, o);
    last = std::move(here);
    ++shown;
  }
  w.close_array().member("next_cursor", q.next_cursor(more ? last : std::nullopt));
  w.member("connection_id", all.of.id.text()).member("provider", tracker::name_of(all.system));
  w.member("total", all.found->resources.size()).member("matching", all.list.size());
  const auto& partial = all.found->partial;
  w.member("partial", partial ? std::optional{provider::name_of(*partial)} : std::nullopt);
  w.member("read_at", all.found->read_at).close();
  return tracker_json(200, std::move(body));
}

asio::awaitable<response> list_offers(app& a, request& r) {
  query_reader own{r.query};
  const bool afresh = own.boolean("fresh").value_or(false);  // binds no cursor: the list is the same one
  if (const auto ok = own.finish(); !ok) co_return refuse(ok.error(), r);
  list_reader q{a, r};
  const auto search = q.text("search").value_or("");
  const auto at = q.at();
  if (!at) co_return refuse(at.error(), r);
  auto c = co_await find_connection(a, r);
  if (!c) co_return refuse(c.error(), r);
  const auto found = co_await offers_of(a, r, std::move(*c), search, afresh);
  co_return found ? rendered(q, *at, *found) : refuse(found.error(), r);
}

}  // namespace

void add_discovery_routes(std::vector<route>& table, app* a) {
  auto& list = table.emplace_back(
      team_route(verb::get, "/api/v1/connections/{id}/resources", "listConnectionResources",
                 "What a tracker can be bound to, as the provider tells it now",
                 tracker_with("tracker:admin"), {200, "ConnectionResourceList", "A page, by label"}));
  list.parameters = paged({{"search", R"({"type":"string"})", "Part of a label or id, in any letter case"},
                           {"fresh", R"({"type":"boolean","default":false})",
                            "Ask the provider even if it was asked a moment ago"}});
  list.handle = on(a, list_offers);
}

}  // namespace connectord::web
