#include "http/offers.hpp"

#include "domain/tracker/text.hpp"

#include <algorithm>
#include <map>

namespace connectord::web {
namespace {

constexpr int bindings_at_a_time = 100;

/// Where active resources of one type lead, by workspace and id; points into the bindings.
using place = std::pair<std::string_view, std::string_view>;
using leads = std::map<place, const tracker::binding_view*>;

leads leads_of(const offers& o) {
  leads out;
  for (const auto& page : o.bindings)
    for (const auto& b : page->rows)
      for (const auto& r : b.resources)
        if (r.state == tracker::binding_state::active && r.type == o.found->type)
          out.emplace(place{r.workspace, r.external_id}, &b);
  return out;
}

/// People call one place by several names, so any of them counts.
const tracker::binding_view* bound(const leads& known, const provider::tracker_resource& what) {
  for (const auto& workspace : what.workspaces)
    for (const auto& id : what.ids)
      if (const auto found = known.find({workspace, id}); found != known.end()) return found->second;
  return nullptr;
}

bool fits(const provider::tracker_resource& what, std::string_view part) {
  const auto has = [part](const std::string& text) {
    return tracker::lower_ascii(text).find(part) != std::string::npos;
  };
  return part.empty() || has(what.label) || std::ranges::any_of(what.ids, has);
}

asio::awaitable<result<>> read_bindings(app& a, request& r, offers& o) {
  list_bindings l;
  l.filter.providers = {std::string{tracker::name_of(o.system)}};
  for (l.at.limit = bindings_at_a_time;;) {
    auto page = co_await read(a, r, l);
    if (!page) co_return page.error();
    o.bindings.push_back(std::move(*page));
    const auto& here = *o.bindings.back();
    if (!here.more) co_return result<>{};
    const auto& last = here.rows.back().row;
    l.at.after = sort_key{to_millis(last.created_at), last.id.str()};
  }
}

}  // namespace

asio::awaitable<result<connection>> find_connection(app& a, request& r) {
  const auto id = connection_id::parse(r.param("id"));
  if (!id) co_return error{errc::not_found};
  auto all = co_await connections(a, r);
  if (!all) co_return all.error();
  const auto row = std::ranges::find(all->rows, *id, &connection::id);
  if (row == all->rows.end()) co_return error{errc::not_found};
  co_return std::move(*row);
}

asio::awaitable<result<offers>> offers_of(app& a, request& r, connection c, std::string_view search,
                                          bool afresh) {
  offers out;
  out.of = std::move(c);
  auto found = co_await command(a, r, discover_resources{out.of.id, afresh});
  if (!found) co_return found.error();
  out.found = std::move(*found);
  out.system = a.catalog.find(out.of.provider)->tracker->system;
  if (const auto ok = co_await read_bindings(a, r, out); !ok) co_return ok.error();
  const auto known = leads_of(out);
  const auto part = tracker::lower_ascii(search);
  for (const auto& what : out.found->resources)
    if (fits(what, part)) out.list.push_back({&what, bound(known, what)});
  co_return out;
}

sort_key key_of(const offer& o) { return {o.what->label, o.what->ids.front()}; }

}  // namespace connectord::web
