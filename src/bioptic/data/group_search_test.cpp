#include "bioptic/data/group_search.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <regex>

#include "bioptic/base/error.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

// What was given before there was a matcher without backtracking.
std::string by_std_regex(const std::string& pattern, const std::string& name) {
  const std::regex search(pattern, std::regex::ECMAScript);
  std::smatch match;
  if (!std::regex_search(name, match, search)) return {};
  return match.size() > 1 && match[1].matched ? match[1].str() : match[0].str();
}

TEST(GroupSearch, GivesWhatStdRegexGave) {
  const char* patterns[] = {"(p\\d+)_",
                            "(person\\d+)",
                            "^([^_]+)_",
                            "^[^-_.]+",
                            "(\\w+?)-",
                            "(a|ab)(c|bcd)",
                            "(?:im|pic)(\\d{2,4})",
                            "([A-Z]{2}[0-9]+)?\\.png$",
                            "patient(\\d*)",
                            "(x|y)*z",
                            "\\bp(\\d)\\b",
                            "[[:alpha:]]+",
                            "(\\S+)\\s",
                            "p.*?(\\d+).*",
                            "(a*)(a*)",
                            "([\xc3\xa9]+)",
                            "(?:(a)|b)+",
                            "\\x70(1)",
                            "^$",
                            "",
                            "()"};
  const char* names[] = {"p1_2.png",
                         "person12_bacteria_3.jpeg",
                         "p-1-AB.png",
                         "abcd",
                         "im20_pic1234.png",
                         "AB12.png",
                         "patient.png",
                         "xyxz",
                         "a p1 b.png",
                         "\xc3\xa9tude1.png",
                         "aaa",
                         "ab ba",
                         "1.2.840.113.dcm",
                         "",
                         "._x",
                         "p\xff\xfe"
                         "1"};
  for (const std::string pattern : patterns) {
    ASSERT_EQ(why_unbounded(pattern), "") << pattern;
    const GroupSearch search(pattern, "--group");
    for (const std::string name : names) {
      EXPECT_EQ(search.in("folder/" + name), by_std_regex(pattern, name)) << pattern << " " << name;
    }
  }
}

// Expressions drawn from what they are made of, on names drawn from the same letters.
TEST(GroupSearch, GivesWhatStdRegexGaveForDrawnExpressions) {
  std::mt19937 engine(5);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
  const std::vector<std::string> atoms = {"a",   "b",    "1",    "_", "\\d",
                                          "\\w", "[ab]", "[^_]", ".", "\\."};
  const std::vector<std::string> repeats = {"", "", "", "+", "*", "?", "+?", "*?", "{1,2}", "{2}"};
  std::size_t found = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto run = [&](std::size_t most) {
      std::string text;
      for (std::size_t i = 0; i <= below(most); ++i) {
        text += atoms[below(atoms.size())] + repeats[below(repeats.size())];
      }
      return text;
    };
    std::string pattern = below(4) == 0 ? "^" : "";
    pattern += run(2) + (below(2) == 0 ? "(" + run(3) + ")" : "(" + run(2) + "|" + run(2) + ")");
    if (below(2) == 0) pattern += run(2);
    if (below(4) == 0) pattern += "$";
    std::string name;
    for (std::size_t i = 0; i < 2 + below(12); ++i) name += "ab1_."[below(5)];
    const std::string expected = by_std_regex(pattern, name);
    found += expected.empty() ? 0U : 1U;
    ASSERT_EQ(GroupSearch(pattern, "").in(name), expected) << pattern << " " << name;
  }
  EXPECT_GT(found, 500U);
}

TEST(GroupSearch, EndsInTimeWhateverTheNames) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(GroupSearch("(x+x+)+y", "--group").in(std::string(200, 'x')), "");
  EXPECT_EQ(GroupSearch("(.*)*(.*)*z", "--group").in(std::string(200, 'x')), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(GroupSearch, WhatCannotBeBoundedIsRefusedAsNewAndKeptAsOld) {
  for (const char* pattern : {"(a)\\1", "a(?=b)", "a(?!b)", "\\Ap", "p\\z", "[^]+", "\\u0061"}) {
    EXPECT_NE(why_unbounded(pattern), "") << pattern;
    EXPECT_NE(error_of([&] { require_bounded(pattern, "--group"); }).find("may take for ever"),
              std::string::npos)
        << pattern;
  }
  EXPECT_EQ(GroupSearch("(\\w)\\1", "group =").in("xaab"), "a");
  EXPECT_EQ(GroupSearch("a(?=b)", "group =").in("acab"), "a");
}

}  // namespace
}  // namespace bioptic
