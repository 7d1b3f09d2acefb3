#pragma once

#include "config/settings.hpp"
#include "storage/session.hpp"

namespace connectord {

/// Retries for as long as the contract says; logs each attempt.
result<std::unique_ptr<storage::store>> open_store(const config::settings& s, bool exclusive);

/// Exit codes: 0 none pending, 3 pending, 1 failure.
int migrate_status(const config::settings& s);
int migrate_up(const config::settings& s);
/// Seals every stored ciphertext with the primary key, batch by batch, beside a running `serve`.
int rotate_keys(const config::settings& s);

/// Exit codes: 0, or 78 with one line a problem on stderr.
int check_provider(const std::string& file);
/// Writes `expect` of the definition's fixtures, then checks it.
int accept_provider(const std::string& file);

/// Every key of the ring opens its stored check value, and every sealed value names a key of the
/// ring. A new key's check value is stored. Answers what is wrong, naming key ids only.
result<std::vector<std::string>> check_keys(storage::session& db, const keyring& keys);

}  // namespace connectord
