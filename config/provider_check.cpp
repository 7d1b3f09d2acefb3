#include "config/provider_check.hpp"

#include "config/provider_loader.hpp"
#include "config/provider_yaml.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>

namespace connectord::config {
namespace {

namespace fs = std::filesystem;
using namespace provider;

fs::path folder_of(const fs::path& file, const definition& d) {
  return file.parent_path() / "fixtures" / d.slug;
}

/// Line of a path such as `webhook.rules[2].when`, or of the last of its steps that is there. JSON is
/// read as the YAML that it is: its own reader knows no lines.
std::size_t line_of(const std::string& text, std::string_view path) try {
  auto at = YAML::Load(text);
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    const auto end = std::min(path.find_first_of(".[", 1), path.size());
    const std::string step{path.substr(0, end)};
    const auto& read_only = std::as_const(at);  // the other operator[] adds members
    const auto next = step.starts_with('[') ? read_only[std::stoul(step.substr(1))] : read_only[step];
    if (!next.IsDefined()) break;
    at.reset(next);
    path.remove_prefix(end);
  }
  return static_cast<std::size_t>(at.Mark().line) + 1;
} catch (const std::exception&) {  // a member whose name looks like a path, or no YAML after all
  return 0;
}

/// Where problems of one file go: one line each, with the line of the file.
struct report {
  const fs::path& file;
  const std::string& text;
  std::string& problems;

  void add(std::string_view field, std::string_view what) const {
    if (!problems.empty()) problems += '\n';
    ((problems += file.string()) += ':') += std::to_string(line_of(text, field));
    (((problems += ": ") += field) += ": ") += what;
  }
};

/// Path and values of the first difference; nothing when they are equal.
std::optional<std::pair<std::string, std::string>> difference(const std::string& path,
                                                              const json::value& want,
                                                              const json::value& have) {
  if (want == have) return std::nullopt;
  if (const auto *a = want.if_object(), *b = have.if_object(); a && b) {
    for (const auto& member : *a) {
      const auto* other = b->if_contains(member.key());
      const auto at = path + "." + std::string{member.key()};
      if (other == nullptr) return std::pair{at, std::string{"is expected, but is not there"}};
      if (auto found = difference(at, member.value(), *other)) return found;
    }
    for (const auto& member : *b)
      if (!a->contains(member.key()))
        return std::pair{path + "." + std::string{member.key()},
                         "is not expected, but is " + json::serialize(member.value())};
  }
  if (const auto *a = want.if_array(), *b = have.if_array(); a && b) {
    for (std::size_t i = 0; i < std::min(a->size(), b->size()); ++i)
      if (auto found = difference(path + "[" + std::to_string(i) + "]", (*a)[i], (*b)[i])) return found;
    return std::pair{
        path, "has " + std::to_string(a->size()) + " items, but there are " + std::to_string(b->size())};
  }
  return std::pair{path, "says " + json::serialize(want) + ", but it is " + json::serialize(have)};
}

void pretty(std::string& out, const json::value& v, std::size_t depth) {
  const auto line = [&](std::size_t d) { (out += '\n').append(2 * d, ' '); };
  if (const auto* object = v.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const auto& member : *object) {
      if (out.back() != '{') out += ',';
      line(depth + 1);
      append_json_string(out, member.key());
      out += ": ";
      pretty(out, member.value(), depth + 1);
    }
    line(depth);
    out += '}';
  } else if (const auto* array = v.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    for (const auto& item : *array) {
      if (out.back() != '[') out += ',';
      line(depth + 1);
      pretty(out, item, depth + 1);
    }
    line(depth);
    out += ']';
  } else {
    out += json::serialize(v);
  }
}

/// A definition with its text and its fixtures.
struct opened {
  std::string text;
  definition provider;
  std::vector<fixture> fixtures;
};

result<std::string> read_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in) return error{errc::validation_failed, path.string() + ": cannot be read"};
  return text;
}

result<opened> open(const fs::path& file) {
  auto text = read_file(file);
  if (!text) return text.error();
  auto loaded = load_provider(*text, file.string());
  if (!loaded) return loaded.error();
  auto fixtures = load_fixtures(folder_of(file, *loaded));
  if (!fixtures) return fixtures.error();
  return opened{std::move(*text), std::move(*loaded), std::move(*fixtures)};
}

/// What all fixtures of one sort show.
struct evidence {
  std::size_t count = 0;
  bool proven = false;  ///< a delivery came with its secret
  std::set<std::string> kinds;
  std::size_t issues = 0, resources = 0;
};

void check_fixture(const definition& d, const fixture& f, evidence& shown, std::string& problems) {
  const report at{f.file, f.text, problems};
  auto found = replay(d, f);
  if (!found) {
    const auto why = found.error();  // by value: nothing may point into the temporary
    const auto message = why.message();
    const auto field = message.substr(0, message.find(": "));
    return at.add(field, message.substr(field.size() + 2));
  }
  ++shown.count;
  shown.proven |= f.content.contains("secret");
  shown.kinds.merge(found->kinds);
  shown.issues += found->issues;
  shown.resources += found->resources;
  const auto* expected = f.content.if_contains("expect");
  if (expected == nullptr) return at.add("expect", "is required; `providers accept` writes it");
  if (const auto off = difference("expect", *expected, found->shown)) at.add(off->first, off->second);
}

void check_rules(const std::string& field, const std::vector<rule>& rules, const std::set<std::string>& shown,
                 const report& at) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& r = rules[i];
    const auto name = r.effect == rule_effect::signal ? std::string_view{r.kind} : name_of(r.effect);
    if (r.effect != rule_effect::ignore && !shown.contains(std::string{name}))
      at.add(field + "[" + std::to_string(i) + "]", "no fixture shows " + std::string{name});
  }
}

void check_coverage(const definition& d, const evidence& deliveries, const evidence& syncs,
                    const fs::path& folder, const report& at) {
  if (d.webhooks) {
    if (deliveries.count == 0)
      at.add("webhook", "needs a recorded delivery in " + folder.string());
    else if (!deliveries.proven && !d.proven_by(proof_scheme::jwt_jwks))
      at.add("webhook.verify", "needs a recorded delivery with its `secret`, which it proves");
    if (deliveries.count > 0) check_rules("webhook.rules", d.webhook.rules, deliveries.kinds, at);
  }
  if (d.tracker) {
    if (deliveries.issues == 0) at.add("tracker.webhook", "no fixture shows an issue");
    if (syncs.issues == 0) at.add("tracker.sync", "no fixture shows an issue");
    if (syncs.resources == 0) at.add("tracker.resource.discover", "no fixture shows a resource");
  }
  if (!d.sync) return;
  if (syncs.count == 0) return at.add("sync", "needs a recorded run in " + (folder / "sync").string());
  for (std::size_t i = 0; i < d.sync->streams.size(); ++i)
    check_rules("sync.streams[" + std::to_string(i) + "].rules", d.sync->streams[i].rules, syncs.kinds, at);
}

}  // namespace

result<std::vector<fixture>> load_fixtures(const fs::path& folder) {
  std::vector<fixture> out;
  for (const bool sync : {false, true}) {
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator{sync ? folder / "sync" : folder, absent}) {
      if (entry.path().extension() != ".json") continue;
      auto text = read_file(entry.path());
      if (!text) return text.error();
      auto content = parse_json_object(*text);
      if (!content) return error{errc::validation_failed, entry.path().string() + ":1: is not a JSON object"};
      out.push_back({entry.path(), sync, std::move(*text), std::move(*content)});
    }
  }
  std::ranges::sort(out, {}, &fixture::file);
  return out;
}

result<meaning> replay(const definition& d, const fixture& from) {
  if (from.sync) {
    if (!d.sync) return error{errc::validation_failed, "answers: the definition has no sync"};
    const auto recorded = read_sync(from.content);
    return recorded ? provider::replay(d, *recorded) : recorded.error();
  }
  if (!d.webhooks) return error{errc::validation_failed, "request: the definition has no webhook"};
  const auto recorded = read_delivery(from.content);
  return recorded ? provider::replay(d, *recorded) : recorded.error();
}

result<checked_provider> check_provider(const fs::path& file) {
  auto all = open(file);
  if (!all) return all.error();
  std::string problems;
  evidence deliveries, syncs;
  for (const auto& f : all->fixtures) check_fixture(all->provider, f, f.sync ? syncs : deliveries, problems);
  check_coverage(all->provider, deliveries, syncs, folder_of(file, all->provider),
                 {file, all->text, problems});
  if (!problems.empty()) return error{errc::validation_failed, std::move(problems)};
  return checked_provider{std::move(all->provider), deliveries.count, syncs.count};
}

result<std::size_t> accept_fixtures(const fs::path& file) {
  auto all = open(file);
  if (!all) return all.error();
  std::size_t changed = 0;
  for (auto& f : all->fixtures) {
    auto found = replay(all->provider, f);
    if (!found) continue;  // there is nothing to expect; the check says why
    f.content["expect"] = std::move(found->shown);
    std::string text;
    pretty(text, f.content, 0);
    text += '\n';
    if (text == f.text) continue;
    std::ofstream out{f.file, std::ios::binary};
    if (!(out << text << std::flush))
      return error{errc::validation_failed, f.file.string() + ": cannot be written"};
    ++changed;
  }
  return changed;
}

}  // namespace connectord::config
