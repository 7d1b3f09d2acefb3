#include "http/views/words.hpp"

#include "domain/sync_state.hpp"
#include "http/views/page.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <cctype>

namespace connectord::web {

using tracker::health;
using tracker::health_reason;
using tracker::lane;
using tracker::link_state;

std::string_view tone_of(health h) {
  switch (h) {
    case health::healthy: return "good";
    case health::drifting: return "info";
    case health::stale: return "warn";
    case health::degraded:
    case health::disconnected: return "bad";
    case health::not_bound: return "";
  }
  return "";
}

std::string_view tone_of(lane l) {
  switch (l) {
    case lane::done:
    case lane::approved: return "good";
    case lane::in_progress:
    case lane::for_review:
    case lane::in_review: return "info";
    case lane::blocked: return "bad";
    default: return "";
  }
}

std::string_view tone_of(link_state s) {
  switch (s) {
    case link_state::linked: return "good";
    case link_state::unknown: return "";
    default: return "warn";
  }
}

std::string_view tone_of(tracker::severity s) { return s == tracker::severity::warning ? "warn" : "info"; }

std::string_view tone_of(tracker::binding_state s) {
  switch (s) {
    case tracker::binding_state::active: return "good";
    case tracker::binding_state::discovered: return "info";
    default: return "";
  }
}

std::string_view tone_of(connection_status s) {
  switch (s) {
    case connection_status::active: return "good";
    case connection_status::error: return "bad";
    default: return "";
  }
}

std::string_view tone_of_activity(std::string_view type) {
  if (type.ends_with("_rejected") || type == "GateFailed") return "bad";
  if (type.ends_with("drift_detected") || type.ends_with("_queued")) return "warn";
  if (type.ends_with("_resolved") || type == "GatePassed") return "good";
  return "info";
}

std::string worded(std::string_view code) {
  std::string out;
  const auto is = [&](int (*kind)(int), std::size_t i) {
    return i < code.size() && kind(static_cast<unsigned char>(code[i])) != 0;
  };
  for (std::size_t i = 0; i < code.size(); ++i) {
    const bool begins = i > 0 && is(std::isupper, i) && is(std::islower, i + 1);
    if (begins && code[i - 1] != '_') out += ' ';
    out += code[i] == '_' ? ' ' : begins ? static_cast<char>(code[i] + ('a' - 'A')) : code[i];
  }
  if (!out.empty()) out.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(out.front())));
  return out;
}

badge badge_of(const tracker::health_report& report) {
  const auto has = [&](health_reason r) {
    return std::ranges::find(report.reasons, r) != report.reasons.end();
  };
  if (has(health_reason::never_synced) && !has(health_reason::disabled)) return {"Pending", ""};
  return {worded(tracker::name_of(report.health)), tone_of(report.health)};
}

std::string because(const tracker::health_report& report, const std::optional<timestamp>& last_snapshot,
                    std::int64_t open_drift, timestamp now) {
  const auto has = [&](health_reason r) {
    return std::ranges::find(report.reasons, r) != report.reasons.end();
  };
  const auto when = last_snapshot ? relative(*last_snapshot, now) : std::string{"never"};
  if (has(health_reason::disabled)) return "Somebody switched this binding off.";
  if (has(health_reason::never_synced)) return "No snapshot has been applied yet.";
  if (has(health_reason::disconnected_age))
    return "The last snapshot came " + when + ": nobody seems to send any.";
  if (has(health_reason::consecutive_failures)) return "The newest snapshots were all refused.";
  if (has(health_reason::stale_age)) return "The last snapshot came " + when + ".";
  if (open_drift > 0)
    return std::to_string(open_drift) + (open_drift == 1 ? " difference is" : " differences are") + " open.";
  return "The last snapshot came " + when + " and both sides agree.";
}

std::string because(const connection& c, bool syncs, timestamp now) {
  const auto sync = read_sync(c.metadata);
  switch (c.status) {
    case connection_status::revoked: return "Disconnected " + relative(c.updated_at, now) + ".";
    case connection_status::error:
      return "Its tokens are not accepted any more" +
             (c.status_reason ? " (" + *c.status_reason + ")." : std::string{"."}) +
             " Webhooks still arrive; connect it again to go on syncing.";
    case connection_status::active: break;
  }
  if (sync.stalled) return "Its sync does not get any further: the same place came back several times.";
  if (sync.last_error) return "The last sync failed: " + *sync.last_error;
  if (!syncs) return "";
  if (sync.last_success_at) return "Synced " + relative(*sync.last_success_at, now) + ".";
  return c.access_ciphertext ? "Not synced yet."
                             : "It receives webhooks; without a consent nothing is fetched.";
}

bool needs_attention(const connection& c) {
  return c.status == connection_status::error || (c.usable() && read_sync(c.metadata).stalled);
}

bool needs_attention(const tracker::binding& b) {
  return b.evaluated() && b.last_snapshot_at && b.health < health::drifting;
}

std::string_view worded(tracker::direction d) {
  switch (d) {
    case tracker::direction::spec_kitty_behind: return "Ours";
    case tracker::direction::external_behind: return "Theirs";
    case tracker::direction::manual_review: return "Somebody has to look";
    case tracker::direction::none: return "—";
  }
  return "";
}

std::string because(const error& e) {
  std::string out{e.message()};
  for (const auto& [name, reason] : e.details())
    if (reason.is_string() && name != "field" &&
        std::string_view{reason.get_string()}.find(' ') != std::string_view::npos)
      out += " " + worded(name) + " " + std::string{reason.get_string()} + ".";
  return out;
}

std::optional<external_link> link_of(const std::optional<std::string>& url) {
  if (!url) return std::nullopt;
  const auto parsed = boost::urls::parse_uri(*url);  // refuses spaces and control characters
  if (!parsed) return std::nullopt;
  const auto scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) return std::nullopt;
  if (parsed->has_userinfo() || parsed->host().empty()) return std::nullopt;
  return external_link{*url, parsed->host()};
}

}  // namespace connectord::web
