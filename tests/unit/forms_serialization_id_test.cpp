// SPDX-License-Identifier: MIT
// The serialization id: the hash and the order of libstdc++, against itself where the tests run with it. Real files are in
// archive_zip_golden_test.cpp.
#include "forms/serialization_id.hpp"

#include <doctest/doctest.h>

#include <random>
#include <unordered_set>
#include <vector>

using namespace brine;

namespace {

std::uint64_t combined(const std::vector<std::string>& names) {
  std::vector<std::uint64_t> hashes;
  for (const auto& name : names) hashes.push_back(libstdcxx_hash(name));
  return combined_name_hashes(hashes);
}

}  // namespace

TEST_CASE("hashes and combinations, by other means") {
  // From ../shared/tools/zip_layout.py.
  CHECK(libstdcxx_hash("") == 0x553E93901E462A6E);
  CHECK(libstdcxx_hash("data.pkl") == 0x44943D565847B09E);
  CHECK(libstdcxx_hash(".data/serialization_id") == 0x5BC341CB869E133E);
  CHECK(libstdcxx_hash("data/\xC3\xA9") == 0xF0B2536397BBCE6F);
  CHECK(combine_hashes(0, 0) == 0x9E3779B9);
  CHECK(combine_hashes(~std::uint64_t{0}, 1) == 0xBFFFFFFF61C88686);
  CHECK(combined({"data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "data/1", "version"}) == 0x4DDE944B23F1840E);
  CHECK(combined({}) == 0);
}

#if defined(__GLIBCXX__) && defined(__x86_64__)
TEST_CASE("as libstdc++'s own unordered_set") {
  std::mt19937_64 random(7);
  for (const std::size_t n : {1U, 2U, 12U, 13U, 14U, 29U, 30U, 31U, 59U, 60U, 127U, 128U, 1000U, 5087U, 5088U, 100'000U}) {
    CAPTURE(n);
    for (const bool plain : {true, false}) {
      std::vector<std::string> names;
      std::unordered_set<std::string> set;
      while (names.size() < n) {
        std::string name = "data/" + std::to_string(plain ? names.size() : random());
        if (!plain) name.resize(random() % name.size() + 1);
        if (!plain) name += std::to_string(names.size());
        CHECK(libstdcxx_hash(name) == std::hash<std::string>()(name));
        if (set.insert(name).second) names.push_back(std::move(name));
      }
      std::uint64_t expected = 0;
      for (const auto& name : set) expected = combine_hashes(expected, std::hash<std::string>()(name));
      CHECK(combined(names) == expected);
    }
  }
}
#endif
