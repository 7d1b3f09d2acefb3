#pragma once

#include "base/error.hpp"

#include <boost/system/result.hpp>

#include <stdexcept>

namespace connectord {

/// A value or a refusal. Exceptions are kept for "this actor must not continue".
template <class T = void>
using result = boost::system::result<T, error>;

/// Found by `result::value()`; asking for a value that is not there is a bug.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::logic_error("result holds an error: " + std::string{e.message()});
}

}  // namespace connectord
