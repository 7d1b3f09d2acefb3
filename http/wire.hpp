#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace connectord::web {

/// Cross-origin rules (contract, 2.3).
class cors {
 public:
  explicit cors(std::vector<std::string> origins);

  /// Header lines for the answer to `r`; nothing without an Origin that is let in.
  void append(std::string& out, const request& r) const;
  response preflight(std::string allow) const;

 private:
  std::vector<std::string> origins_;
  bool any_ = false;
};

/// One answer as bytes: status line, our headers on all of them, body unless it answers HEAD.
void append_answer(std::string& out, const response& answer, const request& r, const cors& origins,
                   bool keep_alive);

}  // namespace connectord::web
