#pragma once

#include "base/result.hpp"

#include <doctest/doctest.h>

/// Lets doctest show a result by what went wrong.
template <class T>
struct doctest::StringMaker<connectord::result<T>> {
  static doctest::String convert(const connectord::result<T>& r) {
    return r ? "a value" : std::string{connectord::traits_of(r.error().code()).code}.c_str();
  }
};
