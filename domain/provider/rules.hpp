#pragma once

#include "base/time.hpp"
#include "domain/provider/template.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// How JSON of a provider becomes signals: conditions, shapes and rules over one object.
namespace connectord::provider {

using text_pairs = std::vector<std::pair<std::string, std::string>>;

enum class time_format : std::uint8_t {
  rfc3339,  ///< also "2025-01-02 03:04:05 UTC"
  epoch_s,
  epoch_ms,
  epoch_fraction,  ///< seconds with a fraction: "1699123456.000200"
  any,             ///< RFC 3339, 10 digits of seconds or 13 of milliseconds
};

struct time_candidate {
  time_format format = time_format::rfc3339;
  lookup from;
};

enum class json_type : std::uint8_t { string, number, boolean, object, array };

/// One predicate over a delivery, an item or an answer; null counts as absent.
struct condition {
  enum class test : std::uint8_t {
    one_of,   ///< equals one of `values`; or is absent, if `or_absent`
    none_of,  ///< absent, or equals none of `values`
    present,
    absent,
    is_type,
    contains,   ///< some of `values` stands in it, in any letter case; they are in lower case
    lists,      ///< an array, or a comma-separated list, that contains `values[0]`
    same_as,    ///< the text of `other`
    within,     ///< a time at most `tolerance` away from that of `other`
    not_after,  ///< a time that is not after that of `other`
  };
  lookup subject;
  test how = test::one_of;
  std::vector<std::string> values;
  bool or_absent = false;
  json_type type = json_type::object;
  std::optional<lookup> other;
  seconds tolerance{};
};
using conditions = std::vector<condition>;  ///< all of them

struct event_case {
  conditions when;
  text_template name;
};

using version_candidate = std::variant<text_template, time_candidate>;

/// How one sort of object becomes a signal.
struct shape {
  std::string name;                        ///< `entity.type` of the payload
  choice entity;                           ///< required: without a value the delivery or the answer fails
  std::vector<version_candidate> version;  ///< none: `$time`, else `$digest`
  std::vector<time_candidate> occurred_at;
  choice key, title, url, actor_id, actor_name;
  std::vector<std::pair<std::string, choice>> fields;
  std::optional<lookup> raw;
};

enum class rule_effect : std::uint8_t {
  signal,
  queue_sync,         ///< processed without a signal
  revoke_connection,  ///< processed without a signal
  ignore,             ///< on purpose, so it is not counted as unmapped
};

constexpr std::string_view name_of(rule_effect e) {
  constexpr std::array names{"signal", "queue_sync", "revoke_connection", "ignore"};
  return names[static_cast<std::size_t>(e)];
}

struct rule {
  conditions when;
  rule_effect effect = rule_effect::signal;
  std::string kind;
  std::size_t shape = 0;    ///< index into the shapes beside the rules
  bool spam_check = false;  ///< the mail filter may refuse the signal; sync only
};

}  // namespace connectord::provider
