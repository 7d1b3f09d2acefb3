#include "http/views/doctrine_form.hpp"

#include "domain/tracker/input.hpp"
#include "http/views/words.hpp"

#include <array>

namespace connectord::web {
namespace {

/// The status has no owner to choose: it is compared whoever owns it (tracker-api, 5.3).
struct owned_field {
  std::string_view name, input, word;
  std::string doctrine_choice::*chosen;
};
constexpr std::array owned{
    owned_field{"title", "title_owner", "The title", &doctrine_choice::title_owner},
    owned_field{"assignee", "assignee_owner", "The assignee", &doctrine_choice::assignee_owner}};

constexpr std::array owners{std::pair{tracker::owner::shared, "both, so it is not compared"},
                            std::pair{tracker::owner::external, "the tracker"},
                            std::pair{tracker::owner::local, "the team"}};

/// Shared is what it is without an entry.
std::string_view value_of(tracker::owner o) {
  return o == tracker::owner::shared ? std::string_view{} : tracker::name_of(o);
}

}  // namespace

doctrine_choice choice_of(const tracker::binding& b) {
  doctrine_choice c;
  if (b.source != tracker::doctrine_source::manual) return c;
  c.mode = tracker::name_of(b.effective.mode);
  for (const auto& field : owned) {
    const auto entry = b.effective.field_owners.find(field.name);
    if (entry != b.effective.field_owners.end()) c.*field.chosen = value_of(entry->second);
  }
  return c;
}

void put_doctrine(fields f, const doctrine_choice& chosen) {
  f.add("MODE_CHOICE")
      .set("VALUE", "")
      .set("WORD", "As snapshots say")
      .show_if(chosen.mode.empty(), "CHOSEN");
  for (const auto mode : tracker::words<tracker::doctrine_mode>::all)
    f.add("MODE_CHOICE").set("VALUE", mode).set("WORD", worded(mode)).show_if(mode == chosen.mode, "CHOSEN");
  for (const auto& field : owned) {
    auto one = f.add("FIELD").set("INPUT", field.input).set("FIELD_WORD", field.word);
    for (const auto& [owner, word] : owners)
      one.add("OWNER_CHOICE")
          .set("VALUE", value_of(owner))
          .set("WORD", word)
          .show_if(value_of(owner) == chosen.*field.chosen, "CHOSEN");
  }
}

result<std::optional<tracker::doctrine>> doctrine_of(const doctrine_choice& c, tracker::doctrine base) {
  if (c.mode.empty()) return std::optional<tracker::doctrine>{};
  const auto mode = tracker::read_mode(c.mode);
  if (!mode) return invalid("mode", "is not one of the known values");
  base.mode = *mode;
  if (*mode != tracker::doctrine_mode::split_ownership) return std::optional{std::move(base)};
  for (const auto& field : owned) {
    base.field_owners.erase(std::string{field.name});
    if ((c.*field.chosen).empty()) continue;
    const auto owner = tracker::parse<tracker::owner>(c.*field.chosen);
    if (!owner) return invalid(field.input, "is not one of the known values");
    base.field_owners.emplace(field.name, *owner);
  }
  return std::optional{std::move(base)};
}

std::string worded(const tracker::doctrine& d) {
  auto out = worded(tracker::name_of(d.mode));
  if (d.mode != tracker::doctrine_mode::split_ownership || d.field_owners.empty()) return out;
  std::string entries;
  for (const auto& [field, owner] : d.field_owners)
    entries += (entries.empty() ? "" : ", ") + field + ": " + std::string{tracker::name_of(owner)};
  return out + " (" + entries + ")";
}

}  // namespace connectord::web
