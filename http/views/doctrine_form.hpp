#pragma once

#include "base/result.hpp"
#include "domain/tracker/model.hpp"
#include "http/views/view.hpp"

#include <string>

/// Who decides where both sides differ: the same part of every form that asks for it.
namespace connectord::web {

/// As the form names it.
struct doctrine_choice {
  std::string mode;                         ///< empty: as snapshots say
  std::string title_owner, assignee_owner;  ///< where it is split; empty: shared

  friend bool operator==(const doctrine_choice&, const doctrine_choice&) = default;
};
doctrine_choice choice_of(const tracker::binding& b);

/// Fills doctrine.html.
void put_doctrine(fields f, const doctrine_choice& chosen);

/// Nothing where snapshots decide. Owners of fields that the form does not ask for stay those of `base`.
result<std::optional<tracker::doctrine>> doctrine_of(const doctrine_choice& c, tracker::doctrine base = {});

/// "Split ownership (title: external)"
std::string worded(const tracker::doctrine& d);

}  // namespace connectord::web
