#include "actors/tracker/links.hpp"

#include "actors/tracker/binding_change.hpp"
#include "base/json.hpp"
#include "domain/tracker/links.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/links.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace connectord::tracker {
namespace {

void tell_mapping(binding_change& b, const link& l, std::string_view action) {
  std::string payload;
  json_writer w{payload};
  w.open().member("mapping_id", l.id.text()).member("action", action).close();
  tell(b, "tracker_mapping_changed", "Mapping of " + l.wp.wp_id + ' ' + std::string{action},
       std::move(payload));
  b.feed.back().wp = l.wp;
}

/// MAPPING_EXISTS when the binding has another link of the work package.
result<> free_of(binding_change& b, const wp_ref& wp) {
  const auto same_wp = storage::links_of_work_packages(b.c.db, b.c.tenant, b.row.id, std::array{wp.wp_id});
  if (!same_wp) return same_wp.error();
  const auto taken = std::ranges::find(*same_wp, wp, &link::wp);
  if (taken == same_wp->end()) return {};
  return error{errc::mapping_exists}.with("mapping_id", json::string{taken->id.text()});
}

result<> begin_at(binding_change& b, link& l) {
  const auto there = storage::issue_is_present(b.c.db, b.c.tenant, b.row.id, l.target);
  if (!there) return there.error();
  begin_presence(l, *there, b.row.tally.evidence);
  return {};
}

/// A link that can be changed, with its binding.
result<std::pair<link, binding_change>> open_link(change& c, const link_id& id) {
  auto l = storage::find_link(c.db, c.tenant, id);
  if (!l) return l.error();
  if (!*l) return error{errc::not_found};
  auto b = open_binding(c, (*l)->binding);
  if (!b) return b.error();
  if (!b->row.live()) return error{errc::not_found};
  return std::pair{std::move(**l), std::move(*b)};
}

/// Takes over what was sent; true when anything of it is news.
bool take(link& l, const patch_link& asked) {
  const auto before = std::tuple{l.wp.mission, l.target.id, l.external_key, l.external_url, l.source};
  if (asked.mission) l.wp.mission = asked.mission->value_or("");
  if (asked.external_id) l.target.id = *asked.external_id;
  if (asked.external_key) l.external_key = *asked.external_key;
  if (asked.external_url) l.external_url = *asked.external_url;
  l.source = link_source::manual;
  return before != std::tuple{l.wp.mission, l.target.id, l.external_key, l.external_url, l.source};
}

}  // namespace

result<link_view> create(change& c, const create_link& asked) {
  auto b = open_binding(c, asked.binding);
  if (!b) return b.error();
  if (!b->row.live()) return error{errc::binding_not_found};
  if (const auto ok = free_of(*b, asked.wp); !ok) return ok.error();
  link l{.id = asked.id, .binding = b->row.id, .project = b->row.project, .wp = asked.wp};
  l.target = {std::string{name_of(b->row.provider)}, asked.workspace.value_or(b->row.workspace),
              asked.external_id};
  l.external_key = asked.external_key;
  l.external_url = asked.external_url;
  l.source = link_source::manual;
  l.claimed_at = l.created_at = l.updated_at = c.now;
  l.ordinal = b->row.tally.next_ordinal++;
  if (const auto ok = begin_at(*b, l); !ok) return ok.error();
  if (const auto ok = storage::insert_links(c.db, c.tenant, {&l, 1}); !ok) return ok.error();
  b->relinked.push_back(l.wp.wp_id);
  tell_mapping(*b, l, "created");
  if (const auto ok = evaluate_some(*b, {}, std::array{l.target}); !ok) return ok.error();
  if (const auto ok = conclude(*b); !ok) return ok.error();
  return storage::view_link(c.db, c.tenant, l.id);
}

result<link_view> patch(change& c, const patch_link& asked) {
  auto opened = open_link(c, asked.id);
  if (!opened) return opened.error();
  auto& [l, b] = *opened;
  const auto before = l;
  if (!take(l, asked)) return storage::view_link(c.db, c.tenant, l.id);
  if (l.wp != before.wp)
    if (const auto ok = free_of(b, l.wp); !ok) return ok.error();
  if (l.target != before.target) {
    retarget(l, l.target, c.now);
    if (const auto ok = begin_at(b, l); !ok) return ok.error();
  }
  l.updated_at = c.now;
  if (const auto ok = storage::update_link(c.db, c.tenant, l); !ok) return ok.error();
  b.relinked.push_back(l.wp.wp_id);
  tell_mapping(b, l, "updated");
  if (const auto ok = evaluate_some(b, {}, std::array{before.target, l.target}); !ok) return ok.error();
  if (const auto ok = conclude(b); !ok) return ok.error();
  return storage::view_link(c.db, c.tenant, l.id);
}

result<> remove(change& c, const delete_link& asked) {
  auto opened = open_link(c, asked.id);
  if (!opened) return opened.error();
  auto& [l, b] = *opened;
  if (const auto ok = end_drift(b, l.id, resolution::link_removed); !ok) return ok;
  if (const auto ok = storage::delete_link(c.db, c.tenant, l.id); !ok) return ok;
  b.relinked.push_back(l.wp.wp_id);
  tell_mapping(b, l, "deleted");
  if (const auto ok = evaluate_some(b, {}, std::array{l.target}); !ok) return ok;
  return conclude(b);
}

}  // namespace connectord::tracker
