#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

struct sqlite3;

namespace connectord::storage {

/// Carries the log over into the database on a thread of its own, so that no COMMIT waits for it. SQLite lets
/// one writer go on meanwhile, and begins the log anew when all of it has been carried over.
class sqlite_checkpointer {
 public:
  explicit sqlite_checkpointer(std::string path);

  /// Follows the commits of `db`, which has to be closed first.
  void follow(sqlite3* db);

 private:
  static int on_commit(void* self, sqlite3* db, const char* schema, int pages);
  void grown(int pages);
  void run(const std::stop_token& ending);

  const std::string path_;
  std::mutex carrying_;  ///< held while pages are carried over
  std::mutex mutex_;
  std::condition_variable_any wake_;
  int carried_ = 0;   ///< pages of the log when a checkpoint was last asked for
  bool due_ = false;  ///< one is asked for
  std::jthread thread_;
};

}  // namespace connectord::storage
