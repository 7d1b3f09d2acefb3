#pragma once

#include "storage/session.hpp"

namespace connectord::storage {

/// WAL with `synchronous=FULL`: a commit that answered survives a power cut. A write transaction
/// holds the one write lock from its first statement, so a trailing `FOR … UPDATE` of a statement,
/// which PostgreSQL needs for its row locks, is dropped here.
result<std::unique_ptr<store>> open_sqlite(std::string path, milliseconds busy, bool exclusive);

}  // namespace connectord::storage
