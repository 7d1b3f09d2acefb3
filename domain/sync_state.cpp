#include "domain/sync_state.hpp"

#include "base/json.hpp"

#include <boost/json/serialize.hpp>

namespace connectord {
namespace {

run_verdict tried_again(run_verdict v, const run_report& r, std::int64_t failures,
                        const backoff_policy& backoff, double random, timestamp now) {
  const auto pause = backoff_delay(backoff, failures, r.hint.value_or(seconds{0}), random);
  v.status = job_status::queued;
  v.retry_after = now + pause;
  v.error->backoff_seconds = std::chrono::ceil<seconds>(pause).count();
  return v;
}

run_verdict failed(run_verdict v, std::string_view type) {
  v.status = job_status::failed;
  v.error->type = type;
  return v;
}

std::optional<told_limit> read_limit(const json::value& v) {
  const auto* own = v.if_object();
  const auto number = [&](std::string_view name) {
    const auto* n = own ? own->if_contains(name) : nullptr;
    return n && n->is_int64() ? std::optional{n->as_int64()} : std::nullopt;
  };
  const auto left = number("left"), of = number("of");
  const auto* at = own ? own->if_contains("at") : nullptr;
  const auto when = at && at->is_string() ? parse_rfc3339(at->as_string()) : std::nullopt;
  if (!left || !of || !when || *left < 0 || *of < 1 || *left > *of) return std::nullopt;
  return told_limit{{*left, *of}, *when};
}

json::object json_of(const told_limit& l) {
  return {{"left", l.calls.left}, {"of", l.calls.of}, {"at", to_rfc3339(l.at)}};
}

}  // namespace

sync_record read_sync(std::string_view metadata) {
  sync_record r;
  const auto all = parse_json_object(metadata);
  const auto* sync = all ? all->if_contains("sync") : nullptr;
  const auto* own = sync ? sync->if_object() : nullptr;
  if (own == nullptr) return r;
  if (const auto* v = own->if_contains("interval_seconds"); v && v->is_int64())
    r.interval = seconds{v->as_int64()};
  if (const auto* v = own->if_contains("cursor"); v && v->is_object()) r.cursor = json::serialize(*v);
  if (const auto* v = own->if_contains("last_success_at"); v && v->is_string())
    r.last_success_at = parse_rfc3339(v->as_string());
  if (const auto* v = own->if_contains("last_error"); v && v->is_string())
    r.last_error = std::string{v->as_string()};
  if (const auto* v = own->if_contains("runs_without_progress"); v && v->is_int64())
    r.runs_without_progress = v->as_int64();
  if (const auto* v = own->if_contains("stalled"); v && v->is_bool()) r.stalled = v->as_bool();
  if (const auto* v = own->if_contains("limit")) r.limit = read_limit(*v);
  return r;
}

std::string with_sync(std::string_view metadata, const sync_record& r) {
  auto all = parse_json_object(metadata).value();  // ours: it was checked before it was stored
  json::object own;
  if (r.interval) own["interval_seconds"] = r.interval->count();
  if (r.cursor) own["cursor"] = parse_json(*r.cursor).value();
  if (r.last_success_at) own["last_success_at"] = to_rfc3339(*r.last_success_at);
  if (r.last_error) own["last_error"] = *r.last_error;
  if (r.runs_without_progress > 0) own["runs_without_progress"] = r.runs_without_progress;
  if (r.stalled) own["stalled"] = true;
  if (r.limit) own["limit"] = json_of(*r.limit);
  all["sync"] = std::move(own);
  return json::serialize(all);
}

run_verdict judge_run(const run_report& r, const sync_record& before, std::int64_t counted_failures,
                      const sync_policy& policy, const backoff_policy& backoff, double random,
                      timestamp now) {
  run_verdict v;
  v.counted_failures = counted_failures;
  v.record = before;
  if (r.limit) v.record.limit = r.limit;
  if (r.how == run_end::released) {
    v.status = job_status::queued;
    return v;
  }
  if (r.without_progress) {
    ++v.record.runs_without_progress;
    v.record.stalled = v.record.runs_without_progress >= policy.stall_runs;
  } else if (r.how == run_end::complete || r.how == run_end::continued) {
    v.record.runs_without_progress = 0;
    v.record.stalled = false;
  }
  const bool good = r.how == run_end::complete || r.how == run_end::continued;
  const bool stalls = r.without_progress && v.record.stalled;  // an earlier stall excuses no other failure
  if (good && !stalls) {
    if (r.cursor) v.record.cursor = r.cursor;
    v.record.last_success_at = now;
    v.record.last_error.reset();
    v.follow_up = r.how == run_end::continued;
    return v;
  }
  v.error = job_error{std::string{name_of(r.how)}, r.message, now, {}};
  v.record.last_error = stalls ? "stalled" : std::string{name_of(r.how)};
  if (stalls) {
    v.error->message = "pages come, but the checkpoint does not move";
    return failed(std::move(v), "stalled");
  }
  switch (r.how) {
    case run_end::rate_limited: return tried_again(std::move(v), r, counted_failures, backoff, random, now);
    case run_end::transient:
      if (++v.counted_failures >= policy.most_attempts) return failed(std::move(v), "attempts_exhausted");
      return tried_again(std::move(v), r, counted_failures, backoff, random, now);
    case run_end::unauthorized: v.connection_failed = true; return failed(std::move(v), "unauthorized");
    default: return failed(std::move(v), "permanent");
  }
}

}  // namespace connectord
