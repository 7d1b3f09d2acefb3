#pragma once

#include "actors/protocol/outbound.hpp"
#include "actors/protocol/tenant.hpp"
#include "actors/services.hpp"

#include <chrono>

/// How a tenant's children speak to providers and to their tenant.
namespace connectord {

/// What the client may take, and a little for the way there and back.
inline seconds patience_of(const services& s) { return s.call_patience + seconds{5}; }

/// The call is bounded by the client, by the outbound actor's queue, and by the asker.
inline send_request call_of(const services& s, const tenant_id& t, std::string provider, http_request r) {
  return {t, std::move(provider), std::move(r), std::chrono::steady_clock::now() + s.call_patience};
}

/// When no answer came because the way out is gone.
inline http_response unreachable() {
  http_response none;
  none.failure = call_failure::network_error;
  return none;
}

/// A command that a child gives its tenant; no caller, so no audit row.
template <class Command>
tenant_command own_command(Command c, seconds patience) {
  request_meta meta;
  meta.deadline = std::chrono::steady_clock::now() + patience;
  return {std::move(meta), mutation{std::move(c)}};
}

}  // namespace connectord
