#pragma once

#include "base/json.hpp"
#include "domain/ids.hpp"
#include "domain/tracker/model.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Checks of a GitHub repository, as its webhook reports them (contract tracker-api, 8).
namespace connectord::tracker {

/// Watches the checks of one repository for a project.
struct gate {
  gate_id id;  ///< unique over all tenants: a delivery names nothing else
  tenant_id tenant;
  project_id project;
  std::string repository;     ///< owner/name, as GitHub writes it
  std::string sealed_secret;  ///< ciphertext
  timestamp created_at{};
};

/// What binds the ciphertext of its secret to a gate.
std::string secret_scope(const tenant_id& t, const gate_id& id);

/// A delivery as it came in. What GitHub has to send in headers is absent when it was not sent.
struct gate_delivery {
  std::optional<std::string> event, id, signature;
  std::string body;
};

enum class gate_finding : std::uint8_t { pong, ignored, passed, failed };

/// What the conclusion of a completed check comes to; nothing for one that GitHub does not have.
std::optional<gate_finding> finding_of(std::string_view conclusion);

/// A delivery that is proven and about the gate's repository.
struct gate_report {
  gate_finding finding = gate_finding::ignored;
  std::string check, conclusion;  ///< here and below: only when it passed or failed
  timestamp occurred_at{};
  std::string payload;  ///< a JSON object, as the feed shows it
};

/// `sha256=` and the HMAC over the body in hex, compared in constant time.
bool proves(const std::optional<std::string>& signature, std::string_view secret, std::string_view body);

/// VALIDATION_FAILED for a missing header, INVALID_BODY for what is no JSON object, REPOSITORY_MISMATCH.
result<json::object> read_delivery(const gate& g, const gate_delivery& d);
/// UNKNOWN_CONCLUSION; VALIDATION_FAILED for a check without name, id or conclusion. `now` is used for a
/// check that does not say when it was completed.
result<gate_report> report_of(const gate_delivery& d, const json::object& body, timestamp now);

/// The feed's row of a check that passed or failed; `id` and project are the caller's to give.
activity activity_of(const gate_report& r, const project& p, timestamp now);

}  // namespace connectord::tracker
