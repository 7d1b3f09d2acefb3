#include "actors/supervise.hpp"
#include "actors/fair_queue.hpp"
#include "tests/support/actor_fixture.hpp"

using namespace connectord;

namespace {

struct poke : message {
  explicit poke(bool d) : deadly(d) {}
  bool deadly;
};

class worker {
 public:
  using handle = typed_actor<replies<poke, done>>;
  using interface = handle;
  static constexpr const char* name = "worker";

  worker(self_pointer<worker>, std::string id, std::vector<std::string>* births) {
    births->push_back(std::move(id));
  }
  interface::behavior_type behavior() {
    return {[](const poke& p) -> caf::result<done> {
      if (p.deadly) throw std::runtime_error("poked to death");
      return done{};
    }};
  }
};

struct tree_fixture : actor_fixture {
  std::vector<std::string> births;
  whereabouts<worker::handle> a, b, c;
  int gave_up = 0;

  child_spec child(const std::string& id, whereabouts<worker::handle>& where) {
    return {id, [this, id, &where](supervisor_pointer parent) {
              return where.set(spawn<worker>(parent, {"system/" + id, "system", {}, {}}, id, &births));
            }};
  }
  supervisor_actor root =
      host(spawn<supervisor>({system, sky}, {"system", "system", {}, {}},
                             std::vector<child_spec>{child("a", a), child("b", b), child("c", c)},
                             restart_policy{.most = 3}, std::function<void()>{[this] { ++gave_up; }}));

  void kill(whereabouts<worker::handle>& where) {
    ask<done>(where.get(), poke{true});
    run();
    pass(std::chrono::seconds{10});
  }
  ~tree_fixture() {
    a.clear();
    b.clear();
    c.clear();
  }
};

}  // namespace

TEST_CASE_FIXTURE(tree_fixture, "a crash restarts the child and everything younger, in order") {
  run();
  REQUIRE(births == std::vector<std::string>{"a", "b", "c"});
  kill(b);
  CHECK(births == std::vector<std::string>{"a", "b", "c", "b", "c"});
  CHECK(gave_up == 0);
}

TEST_CASE_FIXTURE(tree_fixture, "a child answers again after its restart") {
  run();
  kill(c);
  const auto answered = ask<done>(c.get(), poke{false});
  run();
  CHECK((*answered)->has_value());
}

TEST_CASE_FIXTURE(tree_fixture, "a spent budget ends the tree and gives up exactly once") {
  run();
  for (int i = 0; i < 5; ++i) kill(c);
  CHECK(gave_up == 1);
}

TEST_CASE_FIXTURE(tree_fixture, "the exception's text and the asker's error part ways") {
  run();
  const auto answered = ask<done>(a.get(), poke{true});
  run();
  CHECK((*answered)->error().code() == errc::tenant_unavailable);
  CHECK((*answered)->error().message().find("poked") == std::string_view::npos);
  read_tree everything;
  bool seen = false;
  for (const auto& v : sky.views(everything)) seen |= v.last_error == "poked to death";
  CHECK(seen);
}

TEST_CASE("a lane with many entries delays another lane by one entry only") {
  fair_queue<int, int> q;
  for (int i = 0; i < 100; ++i) q.push(1, i);
  q.push(2, 1000);
  CHECK(q.pop() == 0);
  CHECK(q.pop() == 1000);
  CHECK(q.pop() == 1);
  CHECK(q.size() == 98);
}

TEST_CASE("within a lane the order is kept") {
  fair_queue<int, int> q;
  for (int i = 0; i < 10; ++i) q.push(i % 2, i);
  std::vector<int> even;
  while (auto next = q.pop())
    if (*next % 2 == 0) even.push_back(*next);
  CHECK(even == std::vector<int>{0, 2, 4, 6, 8});
  CHECK_FALSE(q.pop());
}
