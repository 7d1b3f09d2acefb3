#pragma once

#include "http/app.hpp"

/// The paths of the tracker's contract: how their routes are declared, and how their commands and reads reach
/// the team's tenant.
namespace connectord::web {

/// A route of tracker-api, section 2: with and without a slash at its end, in the dialect of its path.
route team_route(verb method, std::string_view path, std::string_view id, std::string_view summary,
                 access needed, answer ok, std::vector<int> errors = {});

/// Who is named in the feed.
tracker::actor_ref actor_of(const request& r);

/// A command of one of the tracker's families; the tenant is known, so it is never made.
template <class Command>
  requires requires { typename Command::family; }
asio::awaitable<result<typename Command::reply>> command(app& a, request& r, Command what) {
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return meta.error();
  typename Command::family change{std::move(what), actor_of(r), r.received_at};
  auto answered =
      co_await command(a, r, r.tenant(), tenant_command{std::move(*meta), mutation{std::move(change)}});
  if (!answered) co_return unless_late(r, answered.error());
  auto& family = std::get<typename Command::family::reply>(answered->value);
  co_return std::get<typename Command::reply>(std::move(family));
}

/// Rows that a query of one of the tracker's families asks for; nothing is copied.
template <class Query>
asio::awaitable<result<std::shared_ptr<const typename Query::answer>>> read(app& a, request& r, Query what) {
  typename Query::family query{std::move(what), a.facts.tracker};
  if constexpr (requires { query.now; }) query.now = r.received_at;
  auto answer = co_await rows(a, r, std::move(query));
  if (!answer) co_return answer.error();
  co_return answer->value.template share<typename Query::answer>();
}

}  // namespace connectord::web
