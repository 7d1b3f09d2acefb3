#include "base/json.hpp"
#include "domain/tracker/document.hpp"
#include "domain/tracker/snapshot_body.hpp"

#include <cstdint>
#include <cstdlib>

// Input: the inflated body of a snapshot.
using namespace connectord;
using namespace connectord::tracker;

namespace {

void must(bool ok) {
  if (!ok) std::abort();
}

std::string canonical(const document& d) {
  std::string out;
  append_canonical(out, d.root());
  return out;
}

/// Two parsers agree on what an object is, and the canonical form is one.
void look_at_document(std::string_view text) {
  const auto parsed = document::parse(text);
  must(parsed.has_value() == parse_json_object(text).has_value());
  if (!parsed) return;
  const auto form = canonical(*parsed);
  const auto again = document::parse(form);
  must(again.has_value() && canonical(*again) == form);
}

void look_at(const snapshot_body& body) {
  const auto& c = body.counts;
  must(body.digest.size() == 64 && body.warnings.size() <= 100 && !body.route.scope().empty());
  must(c.issues == c.issues_ignored + static_cast<int>(body.issues.size()));
  must(c.mappings == c.mappings_ignored + static_cast<int>(body.mappings.size()));
  for (const auto& i : body.issues) must(i.ref.system == name_of(body.route.provider) && !i.ref.id.empty());
  for (const auto& row : body.mappings) must(row.target.system == name_of(body.route.provider));
}

void look_at(const refused_body& refused) {
  must(!refused.errors.empty() && refused.errors.size() <= 50);
  for (const auto& e : refused.errors) must(is_utf8(e.message) && e.message.starts_with(e.path));
  if (refused.route) must(!refused.route->workspace.empty());
}

void look_at(const oversized_body& oversized) { must(oversized.actual > oversized.max); }

void look_at(const unreadable_body&) {}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  policy limits;
  limits.max_issues = limits.max_mappings = 20;
  look_at_document(text);
  std::visit([](const auto& reading) { look_at(reading); }, read_snapshot(text, limits));
  return 0;
}
