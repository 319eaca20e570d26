#include "bioptic/study/model_seal.h"

#include <gtest/gtest.h>

#include "bioptic/base/sha256.h"
#include "bioptic/base/utf8.h"

namespace bioptic {
namespace {

using Metadata = std::map<std::string, std::string>;

Metadata sealed() {
  Metadata m = {{"classes", "a\nb"}, {"threshold", "0.5"}, {"pixel_hashes_train", "0123"}};
  seal(m);
  return m;
}

TEST(ModelSeal, IsOfTheTextsThatAPersonCanHashAgain) {
  const Metadata m = sealed();
  EXPECT_EQ(m.at("metadata_sha256"), sha256_hex(R"({"classes":"a\nb","threshold":"0.5"})"));
  EXPECT_EQ(m.at("pixel_hashes_sha256"), sha256_hex(R"({"pixel_hashes_train":"0123"})"));
  EXPECT_EQ(broken_seal(m), "");
}

TEST(ModelSeal, EveryChangeBreaksIt) {
  for (const auto& [key, text] : sealed()) {
    Metadata changed = sealed();
    changed[key] += "0";
    EXPECT_NE(broken_seal(changed), "") << key;
    if (key == "metadata_sha256") continue;  // as an older program's
    changed = sealed();
    changed.erase(key);
    EXPECT_NE(broken_seal(changed), "") << key;
    changed[key + "x"] = text;
    EXPECT_NE(broken_seal(changed), "") << key;
  }
  Metadata more = sealed();
  more["comment"] = "mine";
  EXPECT_NE(broken_seal(more), "");
}

TEST(ModelSeal, HashesOfImagesMayBeTakenOut) {
  Metadata shared;
  for (const auto& [key, text] : sealed()) {
    if (!key.starts_with("pixel_hashes_")) shared.emplace(key, text);
  }
  EXPECT_EQ(broken_seal(shared), "");
}

TEST(ModelSeal, OlderModelsHaveNone) {
  const Metadata old = {{"classes", "a\nb"}, {"pixel_hashes_train", "0123"}};
  EXPECT_FALSE(is_sealed(old));
  EXPECT_EQ(broken_seal(old), "");
}

// A name that is not UTF-8 is written as another text, which is what is read again.
TEST(ModelSeal, NamesThatAreNotUtf8) {
  Metadata m = {{"classes", "a\nb\xff"}};
  seal(m);
  m["classes"] = as_utf8(m["classes"]);
  EXPECT_EQ(broken_seal(m), "");
}

}  // namespace
}  // namespace bioptic
