#include "http/views/binding_form.hpp"

#include "domain/tracker/input.hpp"
#include "domain/tracker/text.hpp"
#include "http/views/address.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

namespace connectord::web {
namespace {

constexpr std::size_t longest_shown = 80, longest_name = 512, most_projects = 250;

}  // namespace

// ---- choices

asio::awaitable<result<std::vector<project_choice>>> projects_to_choose(app& a, request& r,
                                                                        std::string_view chosen) {
  std::vector<project_choice> out;
  list_projects l;
  l.at.limit = 100;
  const auto take = [&out](const project_view& p) {
    out.push_back({p.row.id, p.row.project_uuid, tracker::shortened(p.row.slug, longest_shown)});
  };
  while (out.size() < most_projects) {
    const auto found = co_await read(a, r, l);
    if (!found) co_return found.error();
    std::ranges::for_each((*found)->rows, take);
    if (!(*found)->more) co_return out;
    l.at.after = sort_key{(*found)->rows.back().row.slug};
  }
  const auto id = uuid::parse(chosen);
  if (!id || std::ranges::any_of(out, [&](const auto& p) { return p.id.text() == chosen; })) co_return out;
  const auto one = co_await read(a, r, get_project{.project = *id});
  if (one) take(**one);
  co_return out;
}

void put_projects(fields f, const std::vector<project_choice>& projects, std::string_view chosen) {
  for (const auto& p : projects)
    f.add("PROJECT")
        .set("PROJECT_ID", p.id.text())
        .set("PROJECT_SLUG", p.slug)
        .show_if(p.id.text() == chosen, "CHOSEN");
}

void put_providers(fields f, std::string_view chosen) {
  for (const auto slug : tracker::words<tracker::provider>::all)
    f.add("PROVIDER").set("SLUG", slug).show_if(slug == chosen, "CHOSEN");
}

// ---- what is filled in

std::span<const wish_member> wish_members() {
  static constexpr std::array all{wish_member{"project", &wish::project},
                                  wish_member{"provider", &wish::provider},
                                  wish_member{"workspace", &wish::workspace},
                                  wish_member{"label", &wish::label},
                                  wish_member{"resource", &wish::resource},
                                  wish_member{"resource_type", &wish::resource_type},
                                  wish_member{"mode", &wish::mode},
                                  wish_member{"title_owner", &wish::title_owner},
                                  wish_member{"assignee_owner", &wish::assignee_owner}};
  return all;
}

std::string address_of(std::string_view path, const wish& w, std::span<const wish_member> members) {
  form_fields set;
  for (const auto& m : members)
    if (!(w.*m.value).empty()) set.emplace_back(m.name, w.*m.value);
  return std::string{path} + (set.empty() ? "" : "?" + form_encoded(set));
}

result<create_binding> command_of(const wish& w) {
  create_binding c;
  const auto project = uuid::parse(w.project);
  if (!project) return error{errc::validation_failed, "Choose the project."};
  const auto provider = tracker::read_provider(w.provider);
  if (!provider) return error{errc::validation_failed, "Choose the provider."};
  if (w.workspace.empty()) return error{errc::validation_failed, "Name the workspace."};
  for (const auto& m : wish_members())
    if ((w.*m.value).size() > longest_name) return invalid(m.name, "is longer than 512 characters");
  c.project = *project;
  c.provider = *provider;
  c.workspace = w.workspace;
  if (!w.label.empty()) c.display_label = w.label;
  if (!w.resource.empty()) {
    const auto type = w.resource_type.empty() ? tracker::default_resource_type(*provider) : w.resource_type;
    c.resources = {{std::string{type}, w.resource}};
  }
  auto doctrine = doctrine_of(w.doctrine());
  if (!doctrine) return doctrine.error();
  c.doctrine = std::move(*doctrine);
  return c;
}

// ---- the last step

asio::awaitable<std::string> waiting_for(app& a, request& r, const create_binding& c) {
  list_queue l{.filter = {.states = {std::string{tracker::name_of(tracker::queue_state::pending)}},
                          .providers = {std::string{tracker::name_of(c.provider)}}},
               .at = {.after = std::nullopt, .limit = 100}};
  const auto found = co_await read(a, r, std::move(l));
  if (!found) co_return "—";
  const auto mine = [&c](const tracker::queue_item& x) { return x.route.workspace == c.workspace; };
  co_return std::to_string(std::ranges::count_if((*found)->rows, mine));
}

void put_confirmation(fields f, const visitor& v, const confirmation& said) {
  const auto& [w, c, project, waiting, action, back] = said;
  f.set("CSRF", v.csrf).set("ACTION", action).set("BACK", back);
  f.set("PROJECT_NAME", tracker::shortened(project)).set("PROVIDER_NAME", tracker::name_of(c.provider));
  f.set("WORKSPACE", c.workspace).set("LABEL", c.display_label.value_or("—"));
  f.set("RESOURCE", c.resources.empty() ? "—" : c.resources.front().type + " " + c.resources.front().id);
  f.set("MODE_WORD", c.doctrine ? worded(*c.doctrine) : "As snapshots say");
  f.set("WAITING", waiting);
  for (const auto& m : wish_members())
    f.add("CARRIED").set("CARRIED_NAME", m.name).set("CARRIED_VALUE", w.*m.value);
}

std::string binding_page_of(std::string_view id, std::string_view said) {
  const auto path = "/dashboard/connectors/bindings/" + std::string{id};
  return said.empty() ? path : with_said(path, said);
}

}  // namespace connectord::web
