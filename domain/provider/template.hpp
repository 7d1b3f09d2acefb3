#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The expression language of provider definitions: lookups and texts made of them. There are no
/// loops and no functions, so an evaluation always ends and costs no more than the text is long.
namespace connectord::provider {

/// One step of a path through JSON.
struct path_step {
  enum class kind : std::uint8_t {
    key,     ///< `name`
    index,   ///< `[3]`
    select,  ///< `[name=value]`: the first item whose member equals the value or lists it
    each,    ///< `[]`: every item; only where several values make sense
  };
  kind how = kind::key;
  std::string name, value;
  std::size_t position = 0;
};

enum class lookup_root : std::uint8_t {
  body,       ///< `a.b[0].c`
  data,       ///< `data:a.b`, the document inside an envelope
  header,     ///< `header:x-name`
  event,      ///< `$event`, the event type of the delivery
  digest,     ///< `$digest`, SHA-256 of the body in hex
  time,       ///< `$time`, the event's own time, RFC 3339 to the second; nothing when it has none
  received,   ///< `$received`, arrival, RFC 3339 to the second
  unix_time,  ///< `$unix_time`, occurred_at in seconds
  status,     ///< `$status`, of an answer
  since,      ///< `$since`, up to when items were known before this run
  own,        ///< `$own`, a text of the account, in items
};

/// Cuts one piece out of a text; no value when there is no such piece.
enum class text_filter : std::uint8_t {
  none,
  lower,   ///< ASCII letters in lower case
  host,    ///< host of a URL, in lower case, without port
  tail,    ///< last segment of a URL's path
  head,    ///< everything before the first dot
  tail2,   ///< last two segments of a URL's path
  lead,    ///< first segment of a URL's path
  handle,  ///< first label of a URL's host
  stem,    ///< everything before the last `#`
  parent,  ///< everything before the last `/`
};

struct lookup {
  lookup_root root = lookup_root::body;
  std::vector<path_step> steps;
  std::string header;  ///< lower case
  text_filter filter = text_filter::none;
  std::string text;  ///< as it was written
};

/// `$body` is the whole body. VALIDATION_FAILED with a message that says what is wrong.
result<lookup> parse_lookup(std::string_view text);
std::string filtered(text_filter filter, std::string_view text);

/// Text with lookups in braces: "{repository.full_name}#{issue.number}". It has a value when every
/// lookup has one that is not empty.
struct text_template {
  struct piece {
    std::string text;
    std::optional<lookup> value;  ///< wins over the text
  };
  std::vector<piece> pieces;

  /// The template is one lookup and nothing else, so that the value's JSON type can be kept.
  const lookup* single() const noexcept {
    return pieces.size() == 1 && pieces.front().value ? &*pieces.front().value : nullptr;
  }
};

/// Two braces stand for one.
result<text_template> parse_template(std::string_view text);

/// The first template that has a value.
using choice = std::vector<text_template>;

}  // namespace connectord::provider
