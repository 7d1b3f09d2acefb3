#pragma once

#include "actors/protocol/directory.hpp"
#include "actors/protocol/inbox.hpp"
#include "actors/protocol/ops.hpp"
#include "actors/protocol/registry.hpp"
#include "base/json.hpp"
#include "domain/connection.hpp"
#include "domain/grounded_signal.hpp"
#include "domain/job.hpp"
#include "domain/signal.hpp"
#include "domain/tenant.hpp"

#include <string>

/// The shapes of the contract (4.2), written straight into the answer. This is the only place that
/// knows how a domain value looks on the wire.
namespace connectord::web {

std::string_view name_of(connection_status s);
std::string_view name_of(tenant_status s);
std::string_view name_of(job_type t);
std::string_view name_of(job_status s);

/// `job`: what it has in the queue or running, if anything.
void write(json_writer& w, const connection& c, std::optional<job_status> job,
           std::int64_t default_sync_interval, bool can_sync);
void write(json_writer& w, const tenant& t);
/// `secret` only in the answer that creates it.
void write(json_writer& w, const tenant_token& t, const secret* value = nullptr);
void write(json_writer& w, const job& j, bool in_detail);
void write(json_writer& w, const signal& s, bool with_payload, bool in_detail);
void write(json_writer& w, const delivery& d);
void write_detail(json_writer& w, const delivery_detail& d, std::string_view registry_version);
void write(json_writer& w, const actor_view& a);
void write(json_writer& w, const tenant_workload& t, const tenant_health& h);
void write(json_writer& w, const unrouted_delivery& u);
void write(json_writer& w, const grounded_signal& g, const tenant_id& t);
void write(json_writer& w, const signal_config& c);

/// `meta` of the tenant endpoints.
void write_meta(json_writer& w, std::string_view trace_id, timestamp now);

}  // namespace connectord::web
