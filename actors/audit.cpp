#include "actors/audit.hpp"

namespace connectord {
namespace {

template <class T, class... Any>
concept is_one_of = (std::same_as<T, Any> || ...);

std::string_view action_of(const ingest_webhook&) { return "connection.revoke"; }
std::string_view action_of(const create_connection&) { return "connection.create"; }
std::string_view action_of(const patch_connection&) { return "connection.patch"; }
std::string_view action_of(const delete_connection&) { return "connection.delete"; }
std::string_view action_of(const rotate_webhook_secret&) { return "connection.rotate_secret"; }
std::string_view action_of(const replay_delivery&) { return "delivery.replay"; }
std::string_view action_of(const patch_grounded&) { return "grounded_signal.patch"; }
std::string_view action_of(const delete_grounded&) { return "grounded_signal.delete"; }
std::string_view action_of(const put_signal_config&) { return "signal_config.put"; }
std::string_view action_of(const start_oauth&) { return "oauth.start"; }
std::string_view action_of(const store_grant&) { return "connection.connect"; }
std::string_view action_of(const request_sync&) { return "sync.request"; }
std::string_view action_of(const force_refresh&) { return "connection.refresh"; }

/// A family's command says itself what it is called; without a name its own rows are its history.
template <class Family>
  requires requires(const Family& f) { f.what; }
std::string_view action_of(const Family& f) {
  return std::visit([](const auto& c) { return std::decay_t<decltype(c)>::audited_as; }, f.what);
}

/// What the service does on its own account has rows of its own: jobs, intents, signals.
template <class Command>
concept of_the_service = is_one_of<Command, begin_refresh, end_refresh, schedule_due, run_job, commit_page,
                                   renew_run, end_run, complete_oauth, discover_resources>;

/// A command names its row, unless the plan makes or finds it.
template <class Command>
std::string object_of(const Command& c, const plan& p) {
  if constexpr (requires { c.id; })
    return c.id.str();
  else
    return p.object;
}

/// One function a request that changes rows for a caller.
struct registry_trail {
  const request_meta& by;
  const job_value& answer;

  audit_trail operator()(const create_tenant& r) const {
    if (answer.get<created_tenant>().kept) return {};
    return audited(by, r.row.id, r.row.created_at, "tenant.create", r.row.id.str());
  }
  audit_trail operator()(const patch_tenant& r) const {
    return audited(by, r.id, r.now, "tenant.patch", r.id.str());
  }
  audit_trail operator()(const delete_tenant& r) const {
    return audited(by, {}, r.now, "tenant.delete", r.id.str());
  }
  audit_trail operator()(const set_tenant_status& r) const {
    if (!answer.get<changed_tenant>().changed) return {};
    const bool active = r.status == tenant_status::active;
    return audited(by, r.id, r.now, active ? "tenant.resume" : "tenant.suspend", r.id.str());
  }
  audit_trail operator()(const restart_tenant& r) const {
    return audited(by, r.id, r.now, "tenant.restart", r.id.str());
  }
  audit_trail operator()(const create_token& r) const {
    return audited(by, r.row.tenant, r.row.created_at, "token.create", r.row.id.str());
  }
  audit_trail operator()(const revoke_token& r) const {
    return audited(by, r.tenant, r.now, "token.revoke", r.id.str());
  }
  audit_trail operator()(const open_door& r) const {
    return audited(by, r.row.tenant, r.now, "dashboard.open_door", r.row.who);
  }
  audit_trail operator()(const enter_door& r) const {
    const auto& in = answer.get<entered>().session;
    return audited(by, in.tenant, r.now, "dashboard.enter", in.who);
  }
  audit_trail operator()(const open_session& r) const {
    return audited(by, r.row.tenant, r.row.created_at, "dashboard.login", r.row.who);
  }
  template <class Other>
  audit_trail operator()(const Other&) const {
    return {};
  }
};

}  // namespace

storage::audit_entry audited(const request_meta& by, std::optional<tenant_id> t, timestamp at,
                             std::string_view action, std::string object) {
  return {t, at, by.caller, std::string{action}, std::move(object), by.trace_id};
}

audit_trail trail_of(const tenant_command& c, const plan& p, const tenant_id& t) {
  if (c.meta.caller.empty()) return {};  // the scheduler's sweep
  if (std::holds_alternative<ingest_webhook>(c.change) && !p.changes) return {};
  return std::visit(
      [&](const auto& x) -> audit_trail {
        if constexpr (of_the_service<std::decay_t<decltype(x)>>)
          return {};
        else
          return action_of(x).empty() ? audit_trail{}
                                      : audited(c.meta, t, x.now, action_of(x), object_of(x, p));
      },
      c.change);
}

audit_trail trail_of(const registry_command& c, const job_value& answer) {
  return std::visit(registry_trail{c.meta, answer}, c.request);
}

}  // namespace connectord
