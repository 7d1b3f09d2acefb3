#include "domain/tracker/snapshot_body.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "domain/tracker/body_fields.hpp"
#include "domain/tracker/document.hpp"
#include "domain/tracker/input.hpp"
#include "domain/tracker/text.hpp"

#include <unordered_set>

namespace connectord::tracker {
namespace {

constexpr std::size_t max_errors = 50, max_warnings = 100;
constexpr text_rules name_rules{.max = 512};
constexpr text_rules trimmed_name{.max = 512, .trim = true};
constexpr text_rules key_rules{.max = 512, .may_be_empty = true};
constexpr text_rules url_rules{.max = 4096, .may_be_empty = true};
constexpr text_rules any_text{.may_be_empty = true};

std::optional<std::string> owned(std::optional<std::string_view> text) {
  return text ? std::optional<std::string>{*text} : std::nullopt;
}

/// The name that a system goes by here, if it is a provider at all.
std::string system_name(std::string_view text) {
  const auto known = read_provider(text);
  return std::string{known ? name_of(*known) : text};
}

/// No text of a body holds U+0000, so that it parts them safely.
std::string joined(std::initializer_list<std::string_view> texts) {
  std::string out;
  for (const auto text : texts) out.append(text) += '\0';
  return out;
}

std::string digest_of(const node& root, std::size_t size) {
  std::string canonical;
  canonical.reserve(size);
  append_canonical(canonical, root);
  return to_hex(bytes_of(sha256(canonical)));
}

/// One reading of one body. Errors do not stop it: a client is told of all of them at once.
class body_reader {
 public:
  body_reader(const node& root, const policy& limits) : root_(root), limits_(limits) {}

  std::optional<oversized_body> oversized() const {
    const auto check = [&](std::string_view name, int limit) -> std::optional<oversized_body> {
      const auto max = static_cast<std::size_t>(limit);
      const auto* list = root_.find(name);
      if (list == nullptr || !list->is(node::kind::array) || list->items().size() <= max) return std::nullopt;
      return oversized_body{name, max, list->items().size()};
    };
    if (auto issues = check("issues", limits_.max_issues)) return issues;
    return check("mappings", limits_.max_mappings);
  }

  /// Without the digest.
  std::variant<snapshot_body, refused_body> read() {
    read_route();
    const bool route_stands = errors_.count() == 0;
    read_doctrine();
    read_issues();
    read_mappings();
    read_checkpoint();
    if (errors_.count() > 0)
      return refused_body{std::move(errors_).take(), route_stands ? std::optional{out_.route} : std::nullopt};
    out_.warnings = std::move(warnings_).take();
    return std::move(out_);
  }

 private:
  void read_route();
  void read_resource();
  void read_project();
  void read_doctrine();
  void read_issues();
  void read_issue(const node& item, const place& where);
  issue_content content_of(const fields& issue, const place& where);
  void read_mappings();
  void read_mapping(const node& item, std::size_t index, const place& where);
  void read_checkpoint();

  bool foreign(std::string_view system) const { return system != name_of(out_.route.provider); }
  bool is_object(const node& item, const place& where) {
    if (!item.is(node::kind::object))
      complain(errors_, item.at(), where, field_code::invalid_type, "must be an object");
    return item.is(node::kind::object);
  }
  void warn(const node& about, std::string code, std::string message, std::string path,
            std::string details = "{}") {
    warnings_.add(about.at(), [&] {
      return snapshot_warning{std::move(code), std::move(message), std::move(path), std::move(details),
                              about.at()};
    });
  }

  const node& root_;
  const policy& limits_;
  place top_;
  earliest<field_error> errors_{max_errors};
  earliest<snapshot_warning> warnings_{max_warnings};
  fields body_{root_, top_, errors_};
  std::unordered_set<std::string> seen_issues_, seen_mappings_;
  snapshot_body out_;
};

void body_reader::read_route() {
  out_.route.provider = body_.word("provider", "provider", read_provider).value_or(provider{});
  out_.route.workspace = body_.text("workspace", trimmed_name).value_or("");
  read_resource();
  read_project();
}

void body_reader::read_resource() {
  constexpr text_rules half{.max = 512, .trim = true, .may_be_empty = true};
  constexpr std::string_view type_name = "external_resource_type", id_name = "external_resource_id";
  const auto known = errors_.count();
  const auto type = body_.optional_text(type_name, half);
  const auto id = body_.optional_text(id_name, half);
  if ((!type && !id) || errors_.count() > known) return;
  const auto check = [&](std::string_view name, std::optional<std::string_view> value) {
    if (!value || value->empty())
      body_.refuse(name, field_code::incomplete_pair, "must be given together with its counterpart");
  };
  check(type_name, type);
  check(id_name, id);
  out_.route.resource = resource_key{std::string{type.value_or("")}, std::string{id.value_or("")}};
}

void body_reader::read_project() {
  auto& route = out_.route;
  route.project_uuid_text = owned(body_.optional_text("project_uuid", any_text));
  route.project_slug = owned(body_.optional_text("project_slug", any_text));
  if (const auto* slug = root_.find("project_slug")) out_.project_slug_at = slug->at();
  if (!route.project_uuid_text) return;
  const auto& text = *root_.find("project_uuid");
  out_.project_uuid_at = text.at();
  route.project_uuid = uuid::parse(*route.project_uuid_text);
  if (!route.project_uuid)
    warn(text, "project_uuid_invalid", "project_uuid is no UUID and counts as unknown", "project_uuid");
}

void body_reader::read_doctrine() {
  if (const auto mode = body_.word("doctrine_mode", "doctrine mode", read_mode)) out_.reported.mode = *mode;
  const auto* owners = body_.optional_child("doctrine_field_owners", node::kind::object);
  if (owners == nullptr) return;
  const place list{top_, "doctrine_field_owners"};
  for (const auto& [field, value] : owners->members()) {
    const place where{list, field};
    if (field.find('\0') != std::string_view::npos)
      complain(errors_, value.at(), list, field_code::unsupported_value, "must not name a field with U+0000");
    const auto word = checked_text(value, where, any_text, errors_);
    if (!word) continue;
    const auto known = read_owner(*word);
    // `assignee` sorts before its alias, and then wins.
    out_.reported.field_owners.try_emplace(std::string{field_name(field)}, known.value_or(owner::shared));
    if (!known)
      warn(value, "unknown_field_owner", "The owner is not known and counts as shared", where.text());
  }
}

void body_reader::read_issues() {
  const auto* issues = body_.child("issues", node::kind::array);
  if (issues == nullptr) return;
  const place list{top_, "issues"};
  out_.counts.issues = static_cast<int>(issues->items().size());
  out_.issues.reserve(issues->items().size());
  seen_issues_.reserve(issues->items().size());
  const node* first_foreign = nullptr;
  for (std::size_t i = 0; const auto& item : issues->items()) {
    const auto ignored = out_.counts.issues_ignored;
    read_issue(item, place{list, i++});
    if (ignored == 0 && out_.counts.issues_ignored > 0) first_foreign = &item;
  }
  if (first_foreign == nullptr) return;
  const auto index = static_cast<std::size_t>(first_foreign - issues->items().data());
  warn(*first_foreign, "foreign_system_issue", "Issues of another system than the provider's are left out",
       place{list, index}.text(), "{\"count\":" + std::to_string(out_.counts.issues_ignored) + "}");
}

void body_reader::read_issue(const node& item, const place& where) {
  if (!is_object(item, where)) return;
  auto issue = content_of(fields{item, where, errors_}, where);
  const auto& ref = issue.ref;
  if (ref.system.empty() || ref.workspace.empty() || ref.id.empty()) return;
  if (!seen_issues_.insert(joined({ref.system, ref.workspace, ref.id})).second)
    complain(errors_, item.at(), place{where, "ref"}, field_code::duplicate_issue,
             "is that of an earlier issue");
  if (foreign(ref.system))
    ++out_.counts.issues_ignored;
  else
    out_.issues.push_back(std::move(issue));
}

issue_content body_reader::content_of(const fields& issue, const place& where) {
  issue_content out;
  if (const auto* ref = issue.child("ref", node::kind::object)) {
    const place inside{where, "ref"};
    const fields members{*ref, inside, errors_};
    out.ref.system = system_name(members.text("system", name_rules).value_or(""));
    out.ref.workspace = members.text("workspace", name_rules).value_or("");
    out.ref.id = members.text("id", name_rules).value_or("");
    out.key = owned(members.optional_text("key", key_rules));
    out.url = owned(members.optional_text("url", url_rules));
  }
  out.title = issue.text("title", any_text).value_or("");
  out.body = owned(issue.optional_text("body", any_text));
  out.status = issue.word("status", "status", parse<external_status>).value_or(external_status{});
  out.type = issue.word("issue_type", "issue type", parse<issue_type>).value_or(issue_type{});
  out.priority = issue.optional_integer("priority");
  out.assignees = issue.texts("assignees");
  out.labels = issue.texts("labels");
  out.updated_at = issue.optional_time("updated_at");
  return out;
}

void body_reader::read_mappings() {
  const auto* mappings = body_.child("mappings", node::kind::array);
  if (mappings == nullptr) return;
  const place list{top_, "mappings"};
  out_.counts.mappings = static_cast<int>(mappings->items().size());
  out_.mappings.reserve(mappings->items().size());
  seen_mappings_.reserve(mappings->items().size());
  for (std::size_t i = 0; const auto& item : mappings->items()) {
    read_mapping(item, i, place{list, i});
    ++i;
  }
}

void body_reader::read_mapping(const node& item, std::size_t index, const place& where) {
  if (!is_object(item, where)) return;
  const fields members{item, where, errors_};
  mapping_row row{.index = index, .at = item.at()};
  row.wp_id = members.text("wp_id", name_rules).value_or("");
  row.target.system = system_name(members.text("system", name_rules).value_or(""));
  row.target.workspace = members.text("workspace", name_rules).value_or("");
  row.target.id = members.text("external_id", name_rules).value_or("");
  row.key = owned(members.optional_text("external_key", key_rules));
  row.url = owned(members.optional_text("external_url", url_rules));
  members.optional_time("created_at");
  members.optional_time("updated_at");
  if (row.wp_id.empty() || row.target.system.empty()) return;
  if (!seen_mappings_.insert(joined({row.wp_id, row.target.system})).second)
    complain(errors_, item.at(), where, field_code::duplicate_mapping, "maps a work package a second time");
  if (foreign(row.target.system))
    ++out_.counts.mappings_ignored;
  else
    out_.mappings.push_back(std::move(row));
}

/// Read to be checked only: what it says matters to the client alone.
void body_reader::read_checkpoint() {
  const auto* value = root_.find("checkpoint");
  if (value == nullptr || value->is(node::kind::null)) return;
  const auto* checkpoint = body_.child("checkpoint", node::kind::object);
  if (checkpoint == nullptr) return;
  const place where{top_, "checkpoint"};
  const fields members{*checkpoint, where, errors_};
  members.optional_text("cursor", any_text);
  members.optional_time("updated_since");
}

}  // namespace

std::string snapshot_route::scope() const {
  if (project_uuid_text && !project_uuid_text->empty()) return "project:" + lower_ascii(*project_uuid_text);
  std::string out{"route:"};
  out.append(name_of(provider)).append("|").append(workspace).append("|");
  return resource ? out.append(resource->type).append("|").append(resource->id) : out.append("|");
}

snapshot_reading read_snapshot(std::string_view text, const policy& limits) {
  const auto document = document::parse(text);
  if (!document) return unreadable_body{};
  body_reader reader{document->root(), limits};
  if (const auto oversized = reader.oversized()) return *oversized;
  auto reading = reader.read();
  if (auto* refused = std::get_if<refused_body>(&reading)) return std::move(*refused);
  auto& body = std::get<snapshot_body>(reading);
  body.digest = digest_of(document->root(), text.size());
  return std::move(body);
}

void in_document_order(std::vector<snapshot_warning>& warnings) {
  std::ranges::stable_sort(warnings, {}, &snapshot_warning::at);
  if (warnings.size() > max_warnings) warnings.resize(max_warnings);
}

}  // namespace connectord::tracker
