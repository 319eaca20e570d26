// For tests: every damaged copy of a small file, and what its reader makes of each.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>

#include "bioptic/base/error.h"

namespace bioptic {

struct DamageCounts {
  std::size_t cut = 0, cut_read = 0;  // cut off at every byte; read as the whole file is
  std::size_t flipped = 0, flipped_same = 0, flipped_other = 0;  // one bit each; read, and as what
};

struct DamageTest {
  std::string kind;               // a word for the table
  std::string bytes;              // of the whole file, which must be read
  std::size_t header = 0;         // bytes whose bits are flipped
  int bits = 8;                   // of each byte; 1 where the reader is slow
  bool cut_may_be_other = false;  // of text, in which every line is a whole; else a cut file must
                                  // be refused or give what the whole one gives
  // What is in the file, as text or bytes.  Refuses by InputError or Failure.
  std::function<std::string(const std::string& bytes)> read;
  // Whether a message says which file it is about.
  std::function<bool(const std::string& message)> names;
};

// Anything but a reading or a message that names the file fails the test.  Prints a line that
// scripts/damage collects.
inline DamageCounts damage(const DamageTest& test) {
  DamageCounts counts;
  bool refused = false;
  const auto attempt = [&](const std::string& bytes) {
    refused = false;
    try {
      return test.read(bytes);
    } catch (const InputError& e) {
      EXPECT_TRUE(test.names(e.what())) << test.kind << ": names no file: " << e.what();
    } catch (const Failure& e) {
      EXPECT_TRUE(test.names(e.what())) << test.kind << ": names no file: " << e.what();
    }
    refused = true;
    return std::string();
  };
  const std::string whole = attempt(test.bytes);
  EXPECT_FALSE(refused) << test.kind << " itself is refused";
  for (std::size_t n = 0; n < test.bytes.size(); ++n) {
    const std::string cut = attempt(test.bytes.substr(0, n));
    EXPECT_TRUE(refused || test.cut_may_be_other || cut == whole)
        << test.kind << " cut after " << n << " bytes is read as another file";
    ++counts.cut;
    counts.cut_read += refused ? 0U : 1U;
  }
  for (std::size_t at = 0; at < std::min(test.bytes.size(), test.header); ++at) {
    for (int bit = 0; bit < test.bits; ++bit) {
      std::string flipped = test.bytes;
      const int which = test.bits == 1 ? static_cast<int>(at % 8) : bit;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << which));
      const std::string found = attempt(flipped);
      ++counts.flipped;
      if (!refused) ++(found == whole ? counts.flipped_same : counts.flipped_other);
    }
  }
  std::printf("damage,%s,%zu,%zu,%zu,%zu,%zu,%zu,%zu\n", test.kind.c_str(), test.bytes.size(),
              counts.cut, counts.cut - counts.cut_read, counts.flipped,
              counts.flipped - counts.flipped_same - counts.flipped_other, counts.flipped_same,
              counts.flipped_other);
  return counts;
}

}  // namespace bioptic
