#pragma once

#include "base/form.hpp"
#include "http/team.hpp"
#include "http/views/doctrine_form.hpp"
#include "http/views/page.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What the forms share that give workspaces of trackers to projects. Every step of theirs is an address, so
/// that nothing is lost on the way back.
namespace connectord::web {

struct project_choice {
  tracker::project_id id;
  std::optional<uuid> project_uuid;
  std::string slug;
};

/// By slug; of a team with very many, the first ones and the one that is `chosen` already.
asio::awaitable<result<std::vector<project_choice>>> projects_to_choose(app& a, request& r,
                                                                        std::string_view chosen);
void put_projects(fields f, const std::vector<project_choice>& projects, std::string_view chosen);
void put_providers(fields f, std::string_view chosen);

/// A binding, as far as somebody has filled it in.
struct wish {
  std::string project, provider, workspace, label, resource, resource_type, mode, title_owner, assignee_owner;

  doctrine_choice doctrine() const { return {mode, title_owner, assignee_owner}; }
};
struct wish_member {
  std::string_view name;
  std::string wish::*value;
};
std::span<const wish_member> wish_members();

template <class Get>
wish read_wish(Get value_of) {
  wish w;
  for (const auto& m : wish_members()) w.*m.value = trimmed(value_of(m.name));
  return w;
}

/// `path` with what is filled in; `members`: what its form asks for.
std::string address_of(std::string_view path, const wish& w,
                       std::span<const wish_member> members = wish_members());

/// VALIDATION_FAILED for what is missing or too much.
result<create_binding> command_of(const wish& w);

/// How many snapshots of the place wait for a binding; — when that is not known.
asio::awaitable<std::string> waiting_for(app& a, request& r, const create_binding& c);

/// The last step: what will be bound, in the form that does it.
struct confirmation {
  const wish& wanted;
  const create_binding& command;
  std::string_view project_name, waiting;
  std::string action, back;  ///< where the button leads, and the step before
};
void put_confirmation(fields f, const visitor& v, const confirmation& c);

/// The binding's own page, with what was done.
std::string binding_page_of(std::string_view id, std::string_view said = {});

}  // namespace connectord::web
