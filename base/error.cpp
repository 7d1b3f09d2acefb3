#include "base/error.hpp"

#include <array>

namespace connectord {
namespace {

/// Of both dialects.
constexpr error_traits both(std::string_view code, int status, bool retryable, std::string_view message,
                            std::string_view category, std::string_view tracker_code,
                            int tracker_status = 0) {
  return {code, status, retryable, message, category, tracker_code, tracker_status ? tracker_status : status};
}
/// Of the tracker's paths only.
constexpr error_traits tracker(std::string_view code, int status, std::string_view category,
                               std::string_view message) {
  return {code, status, status == 429, message, category, code, status};
}

constexpr std::array table{
    both("VALIDATION_FAILED", 400, false, "The request has invalid values.", "validation",
         "validation_error"),
    both("INVALID_BODY", 400, false, "The body is not a readable JSON object.", "validation", "invalid_json"),
    both("BAD_REQUEST", 400, false, "The request is not well-formed HTTP.", "validation", "validation_error"),
    both("UNAUTHORIZED", 401, false, "A valid bearer token is required.", "auth", "unauthorized"),
    both("INVALID_SIGNATURE", 401, false, "The delivery could not be verified.", "permission",
         "invalid_signature", 403),
    both("FORBIDDEN", 403, false, "The credential does not allow this.", "permission", "insufficient_scope"),
    both("TENANT_SCOPE_MISMATCH", 403, false, "The credential belongs to another tenant.", "permission",
         "team_forbidden"),
    both("TENANT_SUSPENDED", 403, false, "The tenant is suspended.", "permission", "tenant_suspended"),
    both("NOT_FOUND", 404, false, "There is nothing here.", "not_found", "not_found"),
    both("TENANT_NOT_FOUND", 404, false, "There is no such tenant.", "not_found", "tenant_not_found"),
    both("MESSAGE_QUARANTINED", 422, false, "This message was quarantined.", "internal", "internal_error",
         500),
    both("TENANT_UNAVAILABLE", 503, true, "The tenant is restarting; try again later.", "internal", "busy"),
    both("METHOD_NOT_ALLOWED", 405, false, "The method is not allowed here.", "validation",
         "method_not_allowed"),
    both("REQUEST_TIMEOUT", 408, true, "The request did not arrive in time.", "internal", "busy", 503),
    both("CONFLICT", 409, false, "The request conflicts with the current state.", "internal", "busy", 503),
    both("IDEMPOTENCY_IN_FLIGHT", 409, true, "A request with this key is in progress.", "internal", "busy",
         503),
    both("PAYLOAD_TOO_LARGE", 413, false, "The body is over the limit.", "limit", "payload_too_large"),
    both("URI_TOO_LONG", 414, false, "The request target is over 8 KiB.", "limit", "payload_too_large", 413),
    both("UNSUPPORTED_MEDIA_TYPE", 415, false, "The body's content type is not supported.", "validation",
         "unsupported_media_type"),
    both("IDEMPOTENCY_KEY_REUSED", 422, false, "The key was used with another body.", "conflict",
         "idempotency_key_conflict", 409),
    both("RATE_LIMITED", 429, true, "Too many requests; try again later.", "rate_limit", "rate_limited"),
    both("HEADERS_TOO_LARGE", 431, false, "The header block is over the limit.", "limit", "payload_too_large",
         413),
    both("INTERNAL_SERVER_ERROR", 500, true, "Something unforeseen went wrong.", "internal",
         "internal_error"),
    both("WEBHOOKS_NOT_SUPPORTED", 501, false, "The provider has no webhooks.", "internal", "internal_error",
         500),
    both("PROVIDER_ERROR", 502, true, "The provider failed.", "internal", "busy", 503),
    both("SERVICE_UNAVAILABLE", 503, true, "The service is not ready.", "internal", "busy"),
    both("DATABASE_UNAVAILABLE", 503, true, "The store cannot be reached.", "internal", "busy"),
    both("DATABASE_UNAVAILABLE", 503, true, "The outcome is unknown; repeat the request.", "internal",
         "internal_error", 500),
    both("TENANT_UNAVAILABLE", 503, true, "The tenant moved; try again.", "internal", "busy"),

    tracker("invalid_cursor", 400, "validation", "The cursor is not one of this list."),
    tracker("idempotency_key_required", 400, "validation", "The header Idempotency-Key is required."),
    tracker("idempotency_key_invalid", 400, "validation",
            "Idempotency-Key must be 1 to 255 visible characters, sent once."),
    tracker("tenant_required", 400, "validation", "An operator names a team: X-Tenant-Id or X-Team-Slug."),
    tracker("repository_mismatch", 400, "validation", "The delivery is about another repository."),
    tracker("unknown_conclusion", 400, "validation", "The conclusion of the check is unknown."),
    tracker("binding_not_found", 400, "binding", "There is no such binding."),
    tracker("mapping_disabled", 400, "binding", "The binding is disabled."),
    tracker("project_mismatch", 400, "binding", "The binding is another project's or provider's."),
    tracker("invalid_candidate_token", 400, "binding", "The candidate token is unknown, used or expired."),
    tracker("project_not_admitted", 400, "project_not_admitted",
            "The batch names a project that is not known here."),
    tracker("invalid_signature", 403, "permission", "The delivery could not be verified."),
    tracker("no_installation", 403, "permission", "The provider is not installed for this team."),
    tracker("feature_disabled", 403, "feature", "The feature is not enabled for this team."),
    tracker("outbound_writes_deferred", 403, "policy", "This version does not write to external trackers."),
    tracker("project_not_found", 404, "not_found", "There is no such project."),
    tracker("work_package_not_found", 404, "not_found", "There is no such work package."),
    tracker("receipt_not_found", 404, "not_found", "There is no such receipt."),
    tracker("binding_not_found", 404, "not_found", "There is no such binding."),
    tracker("flag_not_found", 404, "not_found", "There is no such flag."),
    tracker("operation_not_found", 404, "not_found", "There is no such operation."),
    tracker("no_mapping", 404, "not_found", "Nothing is bound here."),
    tracker("idempotency_key_conflict", 409, "conflict", "The key was used with another body."),
    tracker("binding_exists", 409, "conflict", "There is such a binding already."),
    tracker("already_bound", 409, "conflict", "The resource is bound already."),
    tracker("mapping_exists", 409, "conflict", "There is such a mapping already."),
    tracker("project_exists", 409, "conflict", "There is such a project already."),
    tracker("origin_conflict", 409, "conflict", "The mission has another origin already."),
    tracker("queue_item_closed", 409, "conflict", "The queue item is not pending any more."),
    tracker("invalid_transition", 409, "conflict", "The state does not allow this."),
    tracker("ambiguous_work_package", 409, "conflict", "Several missions have such a work package."),
    tracker("queue_full", 429, "rate_limit", "Too many snapshots wait in the queue."),
};
static_assert(table.size() == static_cast<std::size_t>(errc::queue_full) + 1);

}  // namespace

const error_traits& traits_of(errc code) noexcept { return table[static_cast<std::size_t>(code)]; }

error invalid(std::string_view name, std::string_view reason) {
  return error{errc::validation_failed}.with(name, boost::json::string{reason});
}

}  // namespace connectord
