#pragma once

#include "actors/protocol/store_gate.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "storage/census.hpp"
#include "storage/sealed_values.hpp"

#include <map>
#include <string>

namespace connectord {

struct take_census : message {};
struct walk_sealed : message {};
using census_actor = typed_actor<accepts<take_census>, accepts<walk_sealed>>;

/// Counts what the store holds, for the gauges of operators: a scrape shows the last count and waits for
/// nobody. One read at a time, in the service's own turn; while the store is out of reach the last count
/// stands, and its time says how old it is.
class census {
 public:
  using handle = census_actor;
  using interface = census_actor;
  static constexpr const char* name = "census";
  static constexpr seconds between_counts{10};
  static constexpr std::chrono::minutes between_walks{10};  ///< over all sealed values
  static constexpr seconds patience{5};                     ///< with one read
  static constexpr int walk_page = 500;                     ///< connections of one read

  census(self_pointer<census> self, services_ptr s, store_gate_actor store);
  interface::behavior_type behavior();

 private:
  void count();
  void show(const storage::census& c) const;
  void walk();
  void on_page(const std::vector<storage::sealed_value>& page);

  template <class T, class Function, class Then>
  void ask_store(Function fn, Then then, std::function<void()> otherwise);

  self_pointer<census> self_;
  services_ptr services_;
  store_gate_actor store_;
  storage::sealed_cursor walked_;
  std::map<std::string, std::int64_t, std::less<>> by_key_;  ///< sealed values met on the walk
};

census_actor spawn_census(cradle where, services_ptr s, store_gate_actor store);

}  // namespace connectord
