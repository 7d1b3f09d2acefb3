#pragma once

#include "domain/signal.hpp"
#include "http/team.hpp"
#include "http/views/address.hpp"
#include "http/views/visitor.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>

/// What came through a connection, and what was done to it: the tabs of its page that are lists.
namespace connectord::web {

inline constexpr std::string_view bindings_tab = "bindings";

/// A connection, with what it has in the queue or running.
struct standing {
  connection row;
  std::optional<job_status> job;

  std::string path() const { return "/dashboard/connectors/" + row.id.str(); }
  /// Where its buttons lead: apart from the pages, so that no two paths look alike.
  std::string actions() const { return "/dashboard/connections/" + row.id.str(); }
};

/// Rows of the chosen tab, and where they go on.
template <class Row>
struct shown_rows {
  result<shared_page<Row>> page = error{errc::forbidden};  ///< whoever may not see them
  std::optional<sort_key> last;
};
/// Bindings belong to projects, not to the connection: these are the provider's.
struct shown_bindings {
  result<std::shared_ptr<const list_bindings::answer>> page = error{errc::forbidden};
};
/// What is listed in a tab.
using panel = std::variant<shown_rows<delivery>, shown_rows<job>, shown_rows<signal>, shown_rows<audit_row>,
                           shown_bindings>;

/// What the tab of that name lists; nothing for any other. Whoever may not see it gets a panel that says so.
asio::awaitable<std::optional<panel>> panel_for(app& a, request& r, const visitor& v, const address& at,
                                                const connection& c, std::string_view chosen);
/// Fills the slot PANEL with the list's own template.
void put_panel(fields f, const app& a, const request& r, const visitor& v, const address& at,
               const standing& s, const panel& chosen);

}  // namespace connectord::web
