#pragma once

#include "storage/session.hpp"

namespace connectord::storage {

/// A session never reconnects by itself: once its connection is lost it answers
/// DATABASE_UNAVAILABLE, or COMMIT_IN_DOUBT when a commit was under way, and `alive()` is false.
result<std::unique_ptr<store>> open_postgresql(std::string url, milliseconds busy);

/// Our migrations are written in SQLite's type words. INTEGER, REAL, BLOB and TEXT become BIGINT,
/// DOUBLE PRECISION, BYTEA and TEXT COLLATE "C" (ids and keys sort by bytes in both stores), STRICT
/// and WITHOUT ROWID vanish, and a `-- postgresql:` line is executed as it stands.
std::string to_postgresql(std::string_view sql);

}  // namespace connectord::storage
