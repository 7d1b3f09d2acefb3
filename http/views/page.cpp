#include "http/views/page.hpp"

#include "base/crypto.hpp"
#include "base/embedded.hpp"
#include "http/problem.hpp"

#include <array>
#include <map>
#include <stdexcept>

namespace connectord::web {
namespace {

/// `data:` is for the icons of the base style sheet.
constexpr std::string_view policy =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";
constexpr std::string_view for_ever = "public, max-age=31536000, immutable";

struct kind {
  std::string_view file, type;
};
constexpr std::array kinds{
    kind{"dashboard.css", "text/css; charset=utf-8"},
    kind{"dashboard.js", "text/javascript; charset=utf-8"},
    kind{"htmx.min.js", "text/javascript; charset=utf-8"},
    kind{"icon.svg", "image/svg+xml"},
    kind{"pico.min.css", "text/css; charset=utf-8"},
};

struct kept_asset {
  std::string url;
  std::string_view type, content;
};

/// By file name. Digests are made once.
const std::map<std::string, kept_asset, std::less<>>& kept_assets() {
  static const auto all = [] {
    std::map<std::string, kept_asset, std::less<>> out;
    for (const auto& k : kinds)
      for (const auto& f : embedded::assets()) {
        if (f.name != k.file) continue;
        const auto digest = to_hex(bytes_of(sha256(f.content))).substr(0, 12);
        out.emplace(k.file,
                    kept_asset{"/dashboard/assets/" + digest + "-" + std::string{k.file}, k.type, f.content});
      }
    return out;
  }();
  return all;
}

response html_page(int status, std::string body) {
  response out{status, page_type, std::move(body)};
  out.content_security_policy = policy;
  return std::move(out).with("X-Frame-Options", "DENY");
}

void put_frame(fields f, std::string_view title) {
  f.set("TITLE", title).set("ICON", asset_url("icon.svg"));
  f.set("BASE_CSS", asset_url("pico.min.css")).set("OWN_CSS", asset_url("dashboard.css"));
}

struct explained {
  std::string_view heading, next_step;
};

explained explain(errc code) {
  switch (traits_of(code).http_status) {
    case 401: return {"Please sign in", "Your session has ended, or the token is not valid any more."};
    case 403: return {"Not allowed", "Ask an administrator of your team for access."};
    case 404: return {"Nothing here", "It may have been removed, or belong to another team."};
    case 409: return {"That does not fit any more", "Somebody was quicker: look again and retry."};
    case 429: return {"Too many requests", "Wait a moment and try again."};
    case 503: return {"Not available right now", "It usually comes back within seconds: try again."};
    default:
      if (traits_of(code).http_status < 500)
        return {"That did not work", "Check what you entered and try again."};
      return {"Something went wrong", "Try again; if it stays, pass on the trace id."};
  }
}

}  // namespace

std::string_view asset_url(std::string_view file) {
  const auto found = kept_assets().find(file);
  if (found == kept_assets().end()) throw std::logic_error("not embedded: " + std::string{file});
  return found->second.url;
}

result<response> asset(std::string_view name) {
  for (const auto& [file, a] : kept_assets()) {
    if (!a.url.ends_with(name) || a.url.size() != name.size() + std::string_view{"/dashboard/assets/"}.size())
      continue;
    auto out = response::text(a.type, std::string{a.content});
    out.cache_control = for_ever;
    return out;
  }
  return error{errc::not_found};
}

response page(const request& r, const visitor& v, const page_head& head, std::string_view file,
              const filler& fill) {
  struct entry {
    std::string_view text, url;
  };
  constexpr std::array nav{entry{"Connectors", "/dashboard/connectors"},
                           entry{"Projects", "/dashboard/projects"},
                           entry{"Activity", "/dashboard/activity"}};
  auto body = render("layout.html", [&](fields f) {
    put_frame(f, head.title);
    f.set("HTMX", asset_url("htmx.min.js")).set("OWN_JS", asset_url("dashboard.js"));
    f.set("TEAM", v.team.name).set("TRACE", r.trace_id).set("VERSION", service_version);
    f.set("CSRF", v.csrf).set("WHO", v.name).show_if(v.in_session, "SESSION");
    // What a form's address shows is not there for whoever asks again.
    const bool lives = v.in_session && r.method == verb::get;
    f.set("STREAM", lives ? "/dashboard/events" : "").set("SINCE", v.since.text());
    for (const auto& e : nav)
      f.add("NAV").set("NAV_TEXT", e.text).set("NAV_URL", e.url).show_if(e.text == head.section, "CURRENT");
    if (!head.flash.empty()) f.show("FLASH").set("FLASH_TEXT", head.flash);
    fill(f.include("CONTENT", file));
  });
  return html_page(head.status, std::move(body));
}

response door_page(std::string_view title, std::string_view file, const filler& fill, int status,
                   std::string_view next) {
  return html_page(status, render("door.html", [&](fields f) {
                     put_frame(f, title);
                     f.set("NEXT", next).show_if(!next.empty(), "GO_ON");
                     fill(f.include("CONTENT", file));
                   }));
}

response problem_page(const error& e, const request& r, const visitor* v, std::string_view next_step) {
  const auto [heading, usual] = explain(e.code());
  const int status = traits_of(e.code()).http_status;
  const auto fill = [&, heading = heading, next_step = next_step.empty() ? usual : next_step](fields f) {
    f.set("HEADING", heading).set("WHY", e.message()).set("NEXT_STEP", next_step);
    f.set("TRACE", r.trace_id).set("BACK", "/dashboard/connectors");
  };
  auto out = v ? page(r, *v, {.title = heading, .section = "", .status = status}, "problem.html", fill)
               : door_page(heading, "problem.html", fill, status);
  if (e.retry_after()) out.headers.emplace_back("Retry-After", std::to_string(*e.retry_after()));
  if (status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  out.rejected_for = rejection_of(e.code());
  return out;
}

response see_other(std::string_view path) { return response::empty(303).with("Location", std::string{path}); }

void put_failure(fields f, std::string_view slot, const error& e, const request& r) {
  auto part = f.include(slot, "failed.html");
  part.set("WHY", e.message()).set("AGAIN", r.method == verb::get ? r.target() : "").set("TRACE", r.trace_id);
}

void put_time(fields f, std::string_view slot, const std::optional<timestamp>& t, timestamp now,
              std::string_view never) {
  auto part = f.include(slot, "time.html");
  if (!t) {
    part.show("NEVER").set("WORD", never);
    return;
  }
  part.show("AT").set("ISO", to_rfc3339(*t)).set("AGO", relative(*t, now));
}

std::string relative(timestamp t, timestamp now) {
  const auto past = t <= now;
  const auto s = std::chrono::duration_cast<seconds>(past ? now - t : t - now).count();
  if (s < 15) return past ? "just now" : "in a moment";
  constexpr std::int64_t minute = 60, hour = 3600, day = 86'400;
  if (s > 30 * day) return to_rfc3339(t).substr(0, 10);
  const auto worded = s < minute        ? std::to_string(s) + " s"
                      : s < 90 * minute ? std::to_string((s + 30) / minute) + " min"
                      : s < 36 * hour   ? std::to_string((s + hour / 2) / hour) + " h"
                                        : std::to_string((s + day / 2) / day) + " days";
  return past ? worded + " ago" : "in " + worded;
}

}  // namespace connectord::web
