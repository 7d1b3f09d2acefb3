#pragma once

#include "actors/protocol/store_gate.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "domain/queries.hpp"

#include <deque>

namespace connectord {

struct tidy_up : message {};
using janitor_actor = typed_actor<accepts<tidy_up>>;

/// Deletes what has outlived its keeping: tenant by tenant, one small transaction at a time, in the
/// service's own turn at the store. Holds nothing that matters: a walk that fails or is cut short
/// is begun again.
class janitor {
 public:
  using handle = janitor_actor;
  using interface = janitor_actor;
  static constexpr const char* name = "janitor";
  static constexpr seconds after_start{30};
  static constexpr std::chrono::minutes between_walks{10};
  static constexpr int batch = 200;  ///< rows of one kind in one transaction
  static constexpr int tenants_a_page = 100;

  janitor(self_pointer<janitor> self, services_ptr s, store_gate_actor store);
  interface::behavior_type behavior();

 private:
  /// What one transaction deleted, and whether it left some.
  struct purged {
    std::int64_t rows = 0;
    bool more = false;
    void count(std::int64_t n) {
      rows += n;
      more = more || n == batch;
    }
  };

  void tidy_common();
  void read_page();
  void tidy_next();
  void rest();

  template <class T, class Function>
  void ask_store(access_mode mode, Function fn, std::function<void(const T&)> then);
  static result<purged> purge_common(storage::session& db, const retention_policy& keep, timestamp now);
  static result<purged> purge_tenant(storage::session& db, const tenant_id& t, const retention_policy& keep,
                                     timestamp now);

  self_pointer<janitor> self_;
  services_ptr services_;
  store_gate_actor store_;
  std::deque<tenant_id> page_;
  std::optional<position> after_;
  bool more_pages_ = false;
  std::int64_t deleted_ = 0;
};

janitor_actor spawn_janitor(cradle where, services_ptr s, store_gate_actor store);

}  // namespace connectord
