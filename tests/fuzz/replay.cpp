// Runs a target without libFuzzer: on every seed, and on a fixed number of changed copies of each,
// the same ones every time.
//   replay_NAME FOLDER COPIES
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "bioptic/base/files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  // A copy of exactly its size on the heap, so that a sanitizer sees whoever reads on.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

// One to four changes, of the kinds that libFuzzer makes.
std::string changed(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return random() % std::max<std::size_t>(n, 1); };
  for (std::size_t left = 1 + below(4); left > 0; --left) {
    const std::size_t at = below(text.size()), length = 1 + below(16);
    const char byte = static_cast<char>(random() & 0xff);
    switch (below(7)) {
      case 0:
        text.resize(at);
        break;
      case 1:
        if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        if (!text.empty()) text[at] = byte;
        break;
      case 3:
        text.insert(at, length, byte);
        break;
      case 4:
        text.erase(at, length);
        break;
      case 5:
        text.insert(at, text.substr(below(text.size()), length));
        break;
      case 6: {  // a number at the edge of what its bytes hold
        constexpr std::uint64_t kEdges[] = {0,
                                            1,
                                            0x7f,
                                            0xff,
                                            0x7fff,
                                            0xffff,
                                            0x7fffffff,
                                            0xffffffff,
                                            0x7fffffffffffffff,
                                            0xffffffffffffffff};
        const std::uint64_t edge = kEdges[below(std::size(kEdges))];
        const std::size_t bytes =
            std::min(text.size() - std::min(at, text.size()), std::size_t{1} << below(4));
        std::memcpy(text.data() + at, &edge, bytes);
        break;
      }
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t copies = 0;
  if (argc != 3 ||
      std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), copies).ec != std::errc{}) {
    std::fputs("usage: replay_NAME FOLDER COPIES\n", stderr);
    return 2;
  }
  std::vector<std::filesystem::path> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1]))
    seeds.push_back(entry.path());
  std::sort(seeds.begin(), seeds.end());
  std::size_t runs = 0;
  for (const std::filesystem::path& seed : seeds) {
    const std::string text = bioptic::read_file(seed);
    std::mt19937 random(5489U);
    run(text);
    for (std::size_t k = 0; k < copies; ++k) run(changed(text, random));
    runs += 1 + copies;
  }
  std::printf("%zu inputs from %zu seeds\n", runs, seeds.size());
  return seeds.empty() ? 1 : 0;
}
