#include "http/views/view.hpp"

#include "base/embedded.hpp"

#include <ctemplate/template.h>

#include <mutex>
#include <stdexcept>

namespace connectord::web {
namespace {

ctemplate::TemplateString borrowed(std::string_view text) { return {text.data(), text.size()}; }

std::string key_of(std::string_view file) { return std::string{file}; }

}  // namespace

fields& fields::set(std::string_view name, std::string_view text) {
  d_->SetValue(borrowed(name), borrowed(text));
  return *this;
}

fields& fields::set(std::string_view name, std::int64_t number) {
  d_->SetIntValue(borrowed(name), static_cast<long>(number));
  return *this;
}

fields& fields::show(std::string_view section) {
  d_->ShowSection(borrowed(section));
  return *this;
}

fields fields::add(std::string_view section) { return fields{d_->AddSectionDictionary(borrowed(section))}; }

fields fields::include(std::string_view slot, std::string_view file) {
  load_templates();
  auto* part = d_->AddIncludeDictionary(borrowed(slot));
  part->SetFilename(borrowed(file));
  return fields{part};
}

std::string render(std::string_view file, const std::function<void(fields)>& fill) {
  load_templates();
  ctemplate::TemplateDictionary values{borrowed(file)};
  fill(fields{&values});
  std::string out;
  if (!ctemplate::ExpandTemplate(key_of(file), ctemplate::STRIP_WHITESPACE, &values, &out))
    throw std::logic_error("no such template: " + key_of(file));
  return out;
}

void load_templates() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (const auto& f : embedded::templates())
      if (!ctemplate::StringToTemplateCache(key_of(f.name), f.content.data(), f.content.size(),
                                            ctemplate::STRIP_WHITESPACE))
        throw std::logic_error("template " + key_of(f.name) + " does not parse");
  });
}

}  // namespace connectord::web
