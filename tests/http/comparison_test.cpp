#include "http/views/comparison.hpp"

#include <doctest/doctest.h>

using namespace connectord;
using namespace connectord::web;

namespace {

tracker::work_package ours() {
  tracker::work_package wp;
  wp.title = "Fix  login";
  wp.lane = tracker::lane::approved;
  wp.assignee = "Ana";
  wp.priority = 2;
  return wp;
}

tracker::issue_content theirs() {
  tracker::issue_content i;
  i.title = " Fix login";
  i.status = tracker::external_status::done;
  i.assignees = {"bo", "ana"};
  i.priority = 2;
  return i;
}

}  // namespace

TEST_CASE("fields agree by the rules of drift, not letter by letter") {
  for (const auto& field : compare(ours(), theirs())) {
    CAPTURE(field.name);
    CHECK(field.same == true);
  }
}

TEST_CASE("a difference is one") {
  auto i = theirs();
  i.title = "Fix logout", i.status = tracker::external_status::todo, i.assignees = {"bo"}, i.priority = 3;
  for (const auto& field : compare(ours(), i)) {
    CAPTURE(field.name);
    CHECK(field.same == false);
  }
}

TEST_CASE("what one side does not know is neither") {
  auto wp = ours();
  wp.title.reset(), wp.assignee.reset(), wp.priority.reset();
  const auto fields = compare(wp, theirs());
  CHECK(fields[0].same == true);
  for (const auto name : {1, 2, 3}) CHECK_FALSE(fields[static_cast<std::size_t>(name)].same.has_value());
  auto i = theirs();
  i.assignees.clear(), i.priority = 0;
  CHECK_FALSE(compare(ours(), i)[2].same.has_value());
  CHECK_FALSE(compare(ours(), i)[3].same.has_value());
  CHECK(compare(ours(), theirs())[2].theirs == "bo, ana");
}
