#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ctemplate {
class TemplateDictionary;
}

/// Pages from templates (http/templates/*.html). The engine knows where in the markup a value stands and
/// escapes it for that place; nothing here takes markup from a caller.
namespace connectord::web {

/// The values of one template, or of one round of a section in it. A section sees its parents' values.
class fields {
 public:
  explicit fields(ctemplate::TemplateDictionary* d) : d_(d) {}

  fields& set(std::string_view name, std::string_view text);
  fields& set(std::string_view name, const char* text) { return set(name, std::string_view{text}); }
  fields& set(std::string_view name, std::int64_t number);
  /// Shows a section once, with the values at hand.
  fields& show(std::string_view section);
  fields& show_if(bool wanted, std::string_view section) { return wanted ? show(section) : *this; }
  /// One more round of a section, with values of its own.
  fields add(std::string_view section);
  /// Fills a slot `{{>NAME}}` with a template; once more for each call.
  fields include(std::string_view slot, std::string_view file);

 private:
  ctemplate::TemplateDictionary* d_;
};

/// Expands `file`. Throws std::logic_error for a template that is not embedded or does not parse.
std::string render(std::string_view file, const std::function<void(fields)>& fill);

/// At start: reads every embedded template, so that a broken one is found before the first request.
void load_templates();

}  // namespace connectord::web
