#pragma once

#include "domain/provider/rules.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Incremental sync as data: what is asked, how pages follow each other, what is remembered.
namespace connectord::provider {

/// A call whose texts are templates over the roots of `url_values` and `cursor.<member>`, `since`,
/// `page`, `now`; in a detail call also `data:`, the item.
struct request_facts {
  std::string method = "GET";
  text_template url;
  std::vector<std::pair<std::string, choice>> query;  ///< left out without a value
  std::optional<std::string> graphql;                 ///< member `query` of a JSON body, as it stands
  std::vector<std::pair<std::string, choice>> body;   ///< JSON body by dotted name; left out without a value
};

enum class paging : std::uint8_t {
  none,
  link,   ///< header `Link`, rel="next", of the same origin
  token,  ///< a member of the answer, given back as `page`
  count,  ///< `page` counts up while pages are full
};

struct page_facts {
  paging how = paging::none;
  std::optional<lookup> token;
  conditions more;             ///< token: must hold as well
  std::int64_t first = 1;      ///< count: value of the first page; `page` has a value from the start
  std::int64_t step = 1;       ///< count: pages or items a page
  std::int64_t page_size = 0;  ///< count: a page with fewer items is the last
  bool newest_first = false;   ///< items before `since` are known, and no page behind them is asked for
};

/// What a completed stream leaves behind for the next run: one text, under `name`.
struct cursor_facts {
  std::string name;
  std::optional<lookup> answer;        ///< a member of the first page that has it; else
  std::vector<time_candidate> newest;  ///< the latest time of all items
};

enum class since_format : std::uint8_t {
  rfc3339,
  epoch_ms,
  local_minute,  ///< "yyyy-MM-dd HH:mm" in the account's zone
};

/// How `since` is made of a cursor that is a time.
struct since_facts {
  since_format format = since_format::rfc3339;
  seconds overlap{};
  std::string overlap_key;            ///< setting that overrides `overlap`; empty: none
  std::optional<request_facts> zone;  ///< local_minute: asked first; its answer names the zone
  std::optional<lookup> zone_name;
};

/// The first run of a stream: it gives a cursor and no signals.
struct baseline_facts {
  std::optional<request_facts> request;  ///< none: the stream's own
  std::optional<lookup> answer;          ///< none: as the stream's cursor says
  bool from_now = false;                 ///< the cursor is the time of the run
};

/// A call for each item that says more about it; its answer takes the item's place.
struct detail_facts {
  conditions when;
  request_facts request;
  conditions gone;  ///< over the answer: the item is no more and gives nothing
};

struct stream_facts {
  std::string name;
  request_facts request;
  page_facts page;
  lookup records;
  bool records_optional = false;  ///< an answer without them has none
  std::vector<std::string>
      parts;  ///< arrays inside a record whose elements are the items; `data:` is the record
  cursor_facts cursor;
  since_facts since;
  std::optional<baseline_facts> baseline;  ///< none: the first run lists everything
  std::optional<detail_facts> detail;
  conditions invalid_cursor;  ///< over the answer to a call with a cursor; empty: never
  std::vector<rule> rules;    ///< `$event` is the part, else the stream's name
};

enum class failure_class : std::uint8_t { unauthorized, rate_limited, transient, permanent };

struct error_case {
  conditions when;  ///< over the answer, `$status` included
  failure_class what = failure_class::transient;
};

/// Where an item shows what the spam filter looks at.
struct mail_facts {
  double factor = 1;
  choice from, subject;
  std::optional<lookup> labels, attachments;  ///< every text at the path
  std::optional<lookup> headers;              ///< an array of {name, value}; none: they are not known
  conditions html;
};

struct sync_facts {
  text_pairs headers;
  choice own;  ///< `$own`: a text of the account that items are compared or completed with
  std::vector<shape> shapes;
  std::vector<stream_facts> streams;  ///< run one after the other
  std::vector<error_case> errors;     ///< the first that fits; none: by status
  std::vector<time_candidate> reset;  ///< headers that say when a limit ends
  seconds limited_for{};              ///< hint where nothing says when a limit ends
  std::optional<mail_facts> mail;
};

}  // namespace connectord::provider
