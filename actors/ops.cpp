#include "actors/ops.hpp"

namespace connectord {
namespace {

class ops {
 public:
  using handle = ops_actor;
  using interface = ops_actor;
  static constexpr const char* name = "ops";

  explicit ops(self_pointer<ops> self) : self_(self) {}

  interface::behavior_type behavior() {
    return {[this](const read_tree& question) -> caf::result<actor_tree> {
      actor_tree tree;
      tree.rows = self_->sky().views(question);
      tree.more = tree.rows.size() > static_cast<std::size_t>(question.limit);
      if (tree.more) tree.rows.pop_back();
      return tree;
    }};
  }

 private:
  self_pointer<ops> self_;
};

}  // namespace

ops_actor spawn_ops(cradle where) { return spawn<ops>(where, {"system/ops", "system", {}, {}}); }

}  // namespace connectord
