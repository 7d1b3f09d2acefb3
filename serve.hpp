#pragma once

#include "config/settings.hpp"
#include "domain/provider/catalog.hpp"

namespace connectord {

constexpr int exit_failure = 1;

/// Runs the service until it is told to stop. Answers the process's exit code: 0 after a clean
/// drain, 1 after a failure, 78 when the key ring does not fit the store.
int serve(const config::settings& settings, provider::catalog catalog);

/// The actors' and routes' view of the settings, also for documents made without a running service.
std::string openapi_document_of(const provider::catalog& catalog);

}  // namespace connectord
