#include "http/router.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace connectord::web {

router::router(std::vector<route> table) : table_(std::move(table)) {
  std::set<std::string_view> ids;
  for (const auto& r : table_) {
    if (!ids.insert(r.operation_id).second)
      throw std::logic_error("operation id used twice: " + std::string{r.operation_id});
    insert(r);
  }
}

void router::insert(const route& r) {
  std::size_t at = 0;
  for (const auto segment : template_segments(r.path)) {
    const bool parameter = segment.starts_with('{');
    std::size_t next = nodes_[at].any;
    if (!parameter) {
      const auto& children = nodes_[at].children;
      const auto found = std::find_if(children.begin(), children.end(),
                                      [&](const auto& child) { return child.first == segment; });
      next = found == children.end() ? 0 : found->second;
    }
    if (next == 0) {
      next = nodes_.size();
      nodes_.emplace_back();
      if (parameter)
        nodes_[at].any = next;
      else
        nodes_[at].children.emplace_back(segment, next);
    }
    at = next;
  }
  for (const auto* other : nodes_[at].routes)
    if (other->method == r.method || other->slash_optional != r.slash_optional)
      throw std::logic_error("route declared twice: " + std::string{r.path});
  nodes_[at].routes.push_back(&r);
}

/// Static segments win over parameters; the other branch is tried when they lead nowhere.
const router::node* router::locate(const path& p, std::size_t depth, std::size_t at) const {
  const auto& here = nodes_[at];
  if (depth == p.size()) return here.routes.empty() ? nullptr : &here;
  for (const auto& [segment, next] : here.children)
    if (segment == p[depth])
      if (const auto* found = locate(p, depth + 1, next)) return found;
  return here.any == 0 ? nullptr : locate(p, depth + 1, here.any);
}

const router::node* router::serving(const path& p) const {
  const auto* place = locate(p, 0, 0);
  if (place == nullptr) return nullptr;
  const bool known = !p.ends_in_slash() || place->routes.front()->slash_optional;
  return known ? place : nullptr;
}

web::dialect router::dialect_of(const path& p) const {
  const auto* place = serving(p);
  return place ? place->routes.front()->dialect : dialect_at(p.raw());
}

result<const route*> router::find(verb method, const path& p, std::string& allow) const {
  const auto* place = serving(p);
  if (place == nullptr) return error{errc::not_found}.with("reason", "unknown_route");
  const auto wanted = method == verb::head ? verb::get : method;
  for (const auto* r : place->routes)
    if (r->method == wanted) return r;
  allow = allowed(p);
  return error{errc::method_not_allowed};
}

std::string router::allowed(const path& p) const {
  const auto* place = serving(p);
  if (place == nullptr) return {};
  std::string out;
  for (const auto* r : place->routes) {
    (out += text_of(r->method)) += ", ";
    if (r->method == verb::get) out += "HEAD, ";
  }
  return out += "OPTIONS";
}

}  // namespace connectord::web
