#include "http/team.hpp"

namespace connectord::web {

route team_route(verb method, std::string_view path, std::string_view id, std::string_view summary,
                 access needed, answer ok, std::vector<int> errors) {
  route r{method, path, id, "tracker", summary, needed, {ok}, std::move(errors)};
  r.dialect = dialect_at(path);
  r.slash_optional = true;
  return r;
}

tracker::actor_ref actor_of(const request& r) {
  if (!r.who) return {tracker::actor_kind::webhook, "webhook"};
  if (r.who->is_operator) return {tracker::actor_kind::operator_, "operator"};
  return {tracker::actor_kind::client, r.who->token_name};
}

}  // namespace connectord::web
