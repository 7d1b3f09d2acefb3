// What the actor runtime itself costs, without HTTP: a hop through the directory, an activation, a
// passivation. Rows: name | ours | yardstick | ratio | p50 | p99 | RSS. The yardstick of the hop is
// a bare post to the same io_context and back.
#include "actors/directory.hpp"
#include "actors/inbox.hpp"
#include "actors/store_gate.hpp"
#include "http/ask.hpp"
#include "storage/migrate.hpp"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

using namespace connectord;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

struct figures {
  std::vector<double> micros;

  void add(clock_type::time_point begun) {
    micros.push_back(std::chrono::duration<double, std::micro>(clock_type::now() - begun).count());
  }
  double at(double share) {
    std::ranges::sort(micros);
    return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
  }
  double per_second() const {
    double total = 0;
    for (const auto m : micros) total += m;
    return static_cast<double>(micros.size()) / total * 1e6;
  }
};

long resident_kb() {
  long pages = 0, resident = 0;
  if (auto* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

void print(const char* name, figures& ours, double yardstick) {
  const auto rate = ours.per_second();
  std::array<char, 64> compared{" |  | "};
  if (yardstick > 0)
    std::snprintf(compared.data(), compared.size(), " | %.0f/s | %.2f", yardstick, rate / yardstick);
  std::printf("%s | %.0f/s%s | %.1f us | %.1f us | %ld MB\n", name, rate, compared.data(), ours.at(0.5),
              ours.at(0.99), resident_kb() / 1024);
}

request_meta meta() { return {"bench", clock_type::now() + 30s, 0, {}}; }

asio::awaitable<double> bare_hops(int count) {
  figures seen;
  for (int i = 0; i < count; ++i) {
    const auto begun = clock_type::now();
    co_await asio::post(asio::use_awaitable);
    seen.add(begun);
  }
  co_return seen.per_second();
}

asio::awaitable<figures> hops(const bridge_ptr& via, directory_actor front, tenant_id id, int count) {
  figures seen;
  for (int i = 0; i < count; ++i) {
    const auto begun = clock_type::now();
    const connections_of_tenant m{id, read_connections{meta()}};
    const auto answered = co_await ask(via, front, m, begun + 30s);
    if (!answered) throw std::runtime_error("a hop failed");
    seen.add(begun);
  }
  co_return seen;
}

/// Each tenant's first message: claim, load, answer.
asio::awaitable<figures> activations(const bridge_ptr& via, directory_actor front,
                                     const std::vector<tenant_id>& ids) {
  figures seen;
  for (const auto& id : ids) {
    const auto begun = clock_type::now();
    const connections_of_tenant m{id, read_connections{meta()}};
    const auto answered = co_await ask(via, front, m, begun + 30s);
    if (!answered) throw std::runtime_error("an activation failed");
    seen.add(begun);
  }
  co_return seen;
}

asio::awaitable<void> run(const bridge_ptr& via, directory_actor front, const std::vector<tenant_id>& ids) {
  auto born = co_await activations(via, front, ids);
  print("tenant activation (claim and load)", born, 0);
  const auto bare = co_await bare_hops(200'000);
  auto hop = co_await hops(via, front, ids.front(), 200'000);
  print("actor hop: ask, directory, tenant, answer", hop, bare);
  const auto begun = clock_type::now();
  const drain farewell;
  const auto drained = co_await ask(via, front, farewell, begun + 30s);
  if (!drained) throw std::runtime_error("the drain failed");
  figures left;
  const auto each = std::chrono::duration<double, std::micro>(clock_type::now() - begun).count() /
                    static_cast<double>(ids.size());
  left.micros.assign(ids.size(), each);
  print("tenant passivation (all at once)", left, 0);
}

}  // namespace

int main() {
  char pattern[] = "/tmp/connectord-bench-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern);
  std::shared_ptr<storage::store> store =
      storage::open_store({storage::dialect::sqlite, (folder / "bench.db").string()}, 1s, false).value();
  std::vector<tenant_id> ids;
  {
    auto db = store->open().value();
    storage::migrate_up(*db, now_utc()).value();
    db->begin_write().value();
    for (int i = 0; i < 2000; ++i) {
      ids.push_back(tenant_id::make());
      db->execute(
            "INSERT INTO tenants (id, name, status, metadata, created_at, updated_at) VALUES ($1, 'bench', "
            "'active', '{}', 0, 0)",
            {ids.back()})
          .value();
    }
    db->commit().value();
  }

  metrics meters;
  observatory sky{meters};
  asio::io_context io{1};
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system{config};
  io_unit home{system, io};
  home.bind_to_this_thread();
  sky.set_home(&home);
  const bridge_ptr via{system, home, io};
  auto shared = std::make_shared<services>(
      services{provider::catalog{{}}, meters, keyring{{{"k1", secret{std::string(32, 'k')}}}}, {}});
  auto gate = spawn<store_gate>({system, sky}, {"store", "system", {}, {}}, store_plan{store});
  auto inbox = spawn_inbox({system, sky}, shared, gate);
  auto front = spawn_directory({system, sky}, shared, gate, inbox);

  int code = 0;
  asio::co_spawn(io, run(via, front, ids), [&](std::exception_ptr failure) {
    code = failure ? 1 : 0;
    for (const auto& actor : {caf::actor_cast<caf::actor>(front), caf::actor_cast<caf::actor>(inbox),
                              caf::actor_cast<caf::actor>(gate)})
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    front = nullptr;
    inbox = nullptr;
    gate = nullptr;
    auto timer = std::make_shared<asio::steady_timer>(io, 500ms);
    timer->async_wait([&, timer](boost::system::error_code) { io.stop(); });
  });
  io.run();
  home.close();
  via->close();
  system.await_all_actors_done();
  std::filesystem::remove_all(folder);
  return code;
}
