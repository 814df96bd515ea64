// SPDX-License-Identifier: MIT
// FileDescriptor: owns one, closes it once.
#pragma once

#include <utility>

#include <unistd.h>

namespace brine {

class FileDescriptor {
 public:
  FileDescriptor() noexcept = default;
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int get() const noexcept { return number_; }

 private:
  int number_ = -1;
};

}  // namespace brine
