#include "storage/session.hpp"

#include "storage/postgres_session.hpp"
#include "storage/sqlite_session.hpp"

namespace connectord::storage {

result<std::unique_ptr<store>> open_store(const location& where, milliseconds busy, bool exclusive) {
  if (where.kind == dialect::sqlite) return open_sqlite(where.target, busy, exclusive);
  return open_postgresql(where.target, busy);
}

}  // namespace connectord::storage
