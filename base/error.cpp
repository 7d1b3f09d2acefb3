#include "base/error.hpp"

#include <array>

namespace connectord {
namespace {

constexpr std::array table{
    error_traits{"VALIDATION_FAILED", 400, false, "The request has invalid values."},
    error_traits{"INVALID_BODY", 400, false, "The body is not a readable JSON object."},
    error_traits{"BAD_REQUEST", 400, false, "The request is not well-formed HTTP."},
    error_traits{"UNAUTHORIZED", 401, false, "A valid bearer token is required."},
    error_traits{"INVALID_SIGNATURE", 401, false, "The delivery could not be verified."},
    error_traits{"FORBIDDEN", 403, false, "The credential does not allow this."},
    error_traits{"TENANT_SCOPE_MISMATCH", 403, false, "The credential belongs to another tenant."},
    error_traits{"TENANT_SUSPENDED", 403, false, "The tenant is suspended."},
    error_traits{"NOT_FOUND", 404, false, "There is nothing here."},
    error_traits{"TENANT_NOT_FOUND", 404, false, "There is no such tenant."},
    error_traits{"MESSAGE_QUARANTINED", 422, false, "This message was quarantined."},
    error_traits{"TENANT_UNAVAILABLE", 503, true, "The tenant is restarting; try again later."},
    error_traits{"METHOD_NOT_ALLOWED", 405, false, "The method is not allowed here."},
    error_traits{"REQUEST_TIMEOUT", 408, true, "The request did not arrive in time."},
    error_traits{"CONFLICT", 409, false, "The request conflicts with the current state."},
    error_traits{"IDEMPOTENCY_IN_FLIGHT", 409, true, "A request with this key is in progress."},
    error_traits{"PAYLOAD_TOO_LARGE", 413, false, "The body is over the limit."},
    error_traits{"URI_TOO_LONG", 414, false, "The request target is over 8 KiB."},
    error_traits{"UNSUPPORTED_MEDIA_TYPE", 415, false, "The body's content type is not supported."},
    error_traits{"IDEMPOTENCY_KEY_REUSED", 422, false, "The key was used with another body."},
    error_traits{"RATE_LIMITED", 429, true, "Too many requests; try again later."},
    error_traits{"HEADERS_TOO_LARGE", 431, false, "The header block is over the limit."},
    error_traits{"INTERNAL_SERVER_ERROR", 500, true, "Something unforeseen went wrong."},
    error_traits{"WEBHOOKS_NOT_SUPPORTED", 501, false, "The provider has no webhooks."},
    error_traits{"PROVIDER_ERROR", 502, true, "The provider failed."},
    error_traits{"SERVICE_UNAVAILABLE", 503, true, "The service is not ready."},
    error_traits{"DATABASE_UNAVAILABLE", 503, true, "The store cannot be reached."},
    error_traits{"DATABASE_UNAVAILABLE", 503, true, "The outcome is unknown; repeat the request."},
    error_traits{"TENANT_UNAVAILABLE", 503, true, "The tenant moved; try again."},
};
static_assert(table.size() == static_cast<std::size_t>(errc::stale_epoch) + 1);

}  // namespace

const error_traits& traits_of(errc code) noexcept { return table[static_cast<std::size_t>(code)]; }

error invalid(std::string_view name, std::string_view reason) {
  return error{errc::validation_failed}.with(name, boost::json::string{reason});
}

}  // namespace connectord
