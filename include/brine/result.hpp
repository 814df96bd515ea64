// SPDX-License-Identifier: MIT
// Result<T>: a value or an Error, with std::expected's names (which C++20 lacks).
//
//   auto ckpt = brine::load("m.pth");
//   if (!ckpt) return fail(ckpt.error().message());
//   use(*ckpt);
//
// `.value()` throws brine::Exception instead; it does not exist under -fno-exceptions.
#pragma once

#include <brine/error.hpp>

#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace brine {

#if defined(__cpp_exceptions)
/// What Result::value() throws; error() is the whole Error.
class Exception : public std::runtime_error {
 public:
  explicit Exception(Error error) : std::runtime_error(error.message()), error_(std::make_shared<const Error>(std::move(error))) {}
  const Error& error() const noexcept { return *error_; }

 private:
  std::shared_ptr<const Error> error_;
};
#endif

/// `*r`, `r->` and `r.error()` require that the Result holds that side (as in std::expected).
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  template <class U = T>
    requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, Result> && !std::is_same_v<std::remove_cvref_t<U>, Error>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  /// A value of its own, so that what is made of a call's result outlives it: for (const auto& entry : *checkpoint.state_dict()) …
  T operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() & noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const& noexcept { return std::get_if<0>(&state_); }
  /// Of a call's result only what owns nothing: value.as_string()->size(). Other values would be gone with all that is reached through them, as in
  /// `for (… : load(p)->notes())`; (*load(p)).notes() and load(p).value().notes() are of a value.
  T* operator->() && noexcept
    requires(std::is_trivially_destructible_v<T>)
  {
    return std::get_if<0>(&state_);
  }
  T* operator->() &&
    requires(!std::is_trivially_destructible_v<T>)
  = delete;
  const T* operator->() const&& = delete;

  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }

#if defined(__cpp_exceptions)
  T& value() & { return check(), **this; }
  const T& value() const& { return check(), **this; }
  T value() && { return check(), std::move(**this); }
#endif

 private:
#if defined(__cpp_exceptions)
  void check() const {
    if (!has_value()) throw Exception(error());
  }
#endif
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() noexcept = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  Error& error() & noexcept { return *error_; }
  const Error& error() const& noexcept { return *error_; }
  Error error() && noexcept { return std::move(*error_); }

#if defined(__cpp_exceptions)
  void value() const {
    if (error_) throw Exception(*error_);
  }
#endif

 private:
  std::optional<Error> error_;
};

}  // namespace brine
