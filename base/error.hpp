#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace connectord {

/// Every way in which a request can end badly. What each means on the wire stands in one table
/// (error.cpp); a caller that needs to know whether to try again asks `traits_of(code).retryable`.
enum class errc : std::uint8_t {
  validation_failed,
  invalid_body,
  bad_request,
  unauthorized,
  invalid_signature,
  forbidden,
  tenant_scope_mismatch,
  tenant_suspended,
  not_found,
  tenant_not_found,
  message_quarantined,
  tenant_unavailable,
  method_not_allowed,
  request_timeout,
  conflict,
  idempotency_in_flight,
  payload_too_large,
  uri_too_long,
  unsupported_media_type,
  idempotency_key_reused,
  rate_limited,
  headers_too_large,
  internal,
  webhooks_not_supported,
  provider_error,
  service_unavailable,
  database_unavailable,
  commit_in_doubt,  ///< The commit may or may not have happened; only a re-read can tell.
  stale_epoch,      ///< A younger incarnation owns the tenant; the writer has to end.

  // Of the tracker.
  invalid_cursor,
  idempotency_key_required,
  idempotency_key_invalid,
  tenant_required,
  repository_mismatch,
  unknown_conclusion,
  unknown_binding_ref,  ///< `binding_not_found` as the facade says it, with 400
  mapping_disabled,
  project_mismatch,
  invalid_candidate_token,
  project_not_admitted,
  gate_signature_invalid,
  no_installation,
  feature_disabled,
  outbound_writes_deferred,
  project_not_found,
  work_package_not_found,
  receipt_not_found,
  binding_not_found,
  flag_not_found,
  operation_not_found,
  no_mapping,
  idempotency_key_conflict,
  binding_exists,
  already_bound,
  mapping_exists,
  project_exists,
  origin_conflict,
  queue_item_closed,
  invalid_transition,
  ambiguous_work_package,
  queue_full,
};

/// The connectors' paths and those of the tracker have two dialects: where they differ, both stand here.
struct error_traits {
  std::string_view code;  ///< member `code` of the problem document
  int http_status;
  bool retryable;            ///< the same request may succeed later, unchanged
  std::string_view message;  ///< safe for display; used when the error brings none of its own
  std::string_view category;
  std::string_view tracker_code;  ///< what the tracker's paths call it
  int tracker_status;             ///< and answer it with
};

const error_traits& traits_of(errc code) noexcept;

/// A refusal. `message` is safe for display, `details` for machines; neither holds upstream text.
class error {
 public:
  error() = default;  // boost::system::result asks for it
  explicit error(errc code, std::string message = {}) : code_(code), message_(std::move(message)) {}

  errc code() const noexcept { return code_; }
  std::string_view message() const noexcept {
    return message_.empty() ? traits_of(code_).message : std::string_view{message_};
  }
  bool has_own_message() const noexcept { return !message_.empty(); }
  const boost::json::object& details() const noexcept { return details_; }
  std::optional<int> retry_after() const noexcept { return retry_after_; }

  error with(std::string_view name, boost::json::value detail) && {
    details_.insert_or_assign(name, std::move(detail));
    return std::move(*this);
  }
  error retry_in(int seconds) && {
    retry_after_ = seconds;
    return std::move(*this);
  }

 private:
  errc code_ = errc::internal;
  std::string message_;
  boost::json::object details_;
  std::optional<int> retry_after_;
};

/// VALIDATION_FAILED naming one offender: `details[name] = reason`.
error invalid(std::string_view name, std::string_view reason);

}  // namespace connectord
