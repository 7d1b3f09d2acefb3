#pragma once

#include "http/app.hpp"

#include <string>
#include <string_view>

/// The way to a provider's consent and back, for calls and for people at the dashboard.
namespace connectord::web {

/// NOT_FOUND for an unknown provider; VALIDATION_FAILED for one that this deployment cannot ask for consent.
asio::awaitable<result<started_oauth>> begin_consent(app& a, request& r, std::string_view provider);

/// For a browser that leaves the dashboard for a provider's page: with it the callback leads back there, and
/// answers pages. It proves nothing.
std::string consent_cookie(const app& a, std::string_view provider);

}  // namespace connectord::web
