#include "http/docs.hpp"

#include "base/embedded.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace connectord::web {
namespace {

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct part {
  std::string_view name, type;
};
constexpr std::array parts{
    part{"swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
    part{"swagger-ui.css", "text/css; charset=utf-8"},
    part{"docs.js", "text/javascript; charset=utf-8"},
    part{"swagger-ui.LICENSE.txt", "text/plain; charset=utf-8"},
    part{"swagger-ui-bundle.js.LICENSE.txt", "text/plain; charset=utf-8"},
};

std::string content_of(std::string_view name) {
  for (const auto& f : embedded::assets())
    if (f.name == name) return std::string{f.content};
  throw std::logic_error("not embedded: " + std::string{name});
}

}  // namespace

response docs_page() {
  auto page = response::text("text/html; charset=utf-8", content_of("docs.html"));
  page.content_security_policy = policy;
  return page;
}

result<response> docs_asset(std::string_view name) {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const part& p) { return p.name == name; });
  if (found == parts.end()) return error{errc::not_found};
  auto asset = response::text(found->type, content_of(name));
  asset.content_security_policy = policy;
  asset.cache_control = "public, max-age=3600";
  return asset;
}

}  // namespace connectord::web
