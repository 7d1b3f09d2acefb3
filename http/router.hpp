#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::web {

using handler = std::function<asio::awaitable<response>(request&)>;
/// Runs after authentication and before the body is read.
using admission = std::function<asio::awaitable<result<>>(request&)>;

/// A handler as a free function over what it works with. `app` is only followed when it is called,
/// so the table (and with it the OpenAPI document) can be built without services.
template <class App>
handler on(App* app, asio::awaitable<response> (*f)(App&, request&)) {
  return [app, f](request& r) { return f(*app, r); };
}
template <class App>
admission before(App* app, asio::awaitable<result<>> (*f)(App&, request&)) {
  return [app, f](request& r) { return f(*app, r); };
}

enum class payload { none, json, optional_json, raw };

struct parameter {
  std::string_view name;
  std::string_view schema;  ///< JSON text, such as {"type":"string"}
  std::string_view doc{};
  bool required = false;
  std::string_view in = "query";
};

struct answer {
  int status;
  std::string_view schema{};  ///< a component's name; empty without body
  std::string_view doc{};
  std::string_view type = "application/json";
};

/// One operation. The router, the OpenAPI document and the metrics all read this one entry, so that
/// an undocumented route cannot exist. All text is literal.
struct route {
  verb method = verb::get;
  std::string_view path{};  ///< template, such as "/connections/{id}"
  std::string_view operation_id{}, tag{}, summary{};
  web::access access{};
  std::vector<answer> answers{};
  std::vector<int> errors{};            ///< beyond those that follow from access and payload
  std::vector<parameter> parameters{};  ///< path parameters may be left out, they are in the template
  web::payload payload = web::payload::none;
  std::string_view body_schema{};  ///< a component's name
  std::size_t body_limit = 0;      ///< bytes; 0 means the server's own
  handler handle{};
  admission admit{};
  web::dialect dialect = web::dialect::connectors;
  bool slash_optional = false;  ///< served with and without a slash at its end
};

/// The segments of a route template, for range-for.
class template_segments {
 public:
  explicit template_segments(std::string_view path) : rest_(path == "/" ? std::string_view{} : path) {}
  struct end_mark {};
  struct iterator {
    std::string_view rest;
    std::string_view operator*() const { return rest.substr(1, rest.find('/', 1) - 1); }
    iterator& operator++() {
      const auto next = rest.find('/', 1);
      rest = next == rest.npos ? std::string_view{} : rest.substr(next);
      return *this;
    }
    bool operator!=(end_mark) const { return !rest.empty(); }
  };
  iterator begin() const { return {rest_}; }
  end_mark end() const { return {}; }

 private:
  std::string_view rest_;
};

class router {
 public:
  /// Throws std::logic_error when two routes share method and path, or an operation id, or when routes of
  /// one path differ in `slash_optional`.
  explicit router(std::vector<route> table);
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// NOT_FOUND with reason unknown_route, METHOD_NOT_ALLOWED with `allow` set. HEAD finds GET.
  result<const route*> find(verb method, const path& p, std::string& allow) const;
  /// Of the routes at a path, or of its neighbourhood when there are none.
  web::dialect dialect_of(const path& p) const;
  /// Methods of a path, as the header Allow has them; empty when nothing is served there.
  std::string allowed(const path& p) const;

  const std::vector<route>& routes() const noexcept { return table_; }
  std::size_t index_of(const route& r) const noexcept { return static_cast<std::size_t>(&r - table_.data()); }

 private:
  struct node {
    std::vector<std::pair<std::string_view, std::size_t>> children;  ///< static segment to node
    std::size_t any = 0;                                             ///< node of a parameter
    std::vector<const route*> routes;
  };
  void insert(const route& r);
  const node* locate(const path& p, std::size_t depth, std::size_t at) const;
  /// With its slash at the end looked at.
  const node* serving(const path& p) const;

  std::vector<route> table_;
  std::vector<node> nodes_{1};
};

}  // namespace connectord::web
