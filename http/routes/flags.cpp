#include "http/list.hpp"
#include "http/team.hpp"
#include "http/tracker_shapes.hpp"

/// The flag of a team.
namespace connectord::web {
namespace {

asio::awaitable<response> list_all(app& a, request& r) {
  list_reader q{a, r};
  const auto at = q.at();
  if (!at) co_return refuse(at.error(), r);
  const auto flag = co_await read(a, r, get_flag{});
  if (!flag) co_return refuse(flag.error(), r);
  rows_page<tracker::feature_flag> page;
  if (!at->after) page.rows.push_back(**flag);
  co_return list_answer(
      q, page, [](json_writer& w, const auto& f) { write(w, f); },
      [](const auto& f) { return sort_key{f.key}; });
}

asio::awaitable<response> put(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  const auto enabled = reader.optional_boolean("enabled");
  if (!enabled && reader.ok()) reader.refuse("enabled", "is required");
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  if (r.param("key") != tracker::tracker_flag) co_return refuse(error{errc::flag_not_found}, r);
  const auto flag = co_await command(a, r, put_flag{*enabled});
  co_return flag ? rendered(200, *flag) : refuse(flag.error(), r);
}

}  // namespace

void add_flag_routes(std::vector<route>& table, app* a) {
  auto& list = table.emplace_back(team_route(verb::get, "/api/v1/flags", "listFlags", "The team's flags",
                                             team_with("tracker:read"), {200, "FeatureFlagList", "All"}));
  list.parameters = paged();
  list.handle = on(a, list_all);
  auto& set =
      table.emplace_back(team_route(verb::put, "/api/v1/flags/{key}", "putFlag", "Switch a flag",
                                    team_with("tracker:admin"), {200, "FeatureFlag", "As it is now"}, {404}));
  set.payload = payload::json;
  set.body_schema = "PutFlag";
  set.handle = on(a, put);
}

}  // namespace connectord::web
