#include "bioptic/study/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "bioptic/base/files.h"
#include "bioptic/study/keys.h"

namespace bioptic {
namespace {

// The documentation's tables are the parser's.  To write them anew:
//   BIOPTIC_UPDATE_DOCS=1 build/.../study_test --gtest_filter='Reference.*'
TEST(Reference, DocumentationIsCurrent) {
  const std::filesystem::path file = "docs/study-file.md";
  const std::string begin = "<!-- generated: begin -->\n", end = "<!-- generated: end -->";
  std::string text = read_file(file);
  const std::size_t from = text.find(begin), to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::size_t start = from + begin.size();
  const std::string expected = "\n" + study_file_reference() + "\n";
  if (std::getenv("BIOPTIC_UPDATE_DOCS") != nullptr) {
    write_file(file, text.replace(start, to - start, expected));
    return;
  }
  EXPECT_TRUE(text.substr(start, to - start) == expected)
      << "docs/study-file.md is out of date; run with BIOPTIC_UPDATE_DOCS=1";
}

// Writing a default back gives what was read: the documented default is the one in use, and every
// key's reader and writer agree.
template <typename T>
void expect_defaults_read_back(const schema::Kinded<T>& table) {
  for (const std::string_view kind : table.kinds) {
    const T fresh = schema::defaults_of(table, kind);
    EXPECT_EQ(table.kind(fresh), kind);
    for (const schema::Key<T>& key : table.keys) {
      if (!key.kinds.empty() && !schema::has_word(key.kinds, kind)) continue;
      const std::string value = key.value.text(fresh);
      if (value.empty() || key.fallback.front() == '(') continue;
      EXPECT_EQ(toml_text(parse_value(value)), toml_text(parse_value(key.fallback)))
          << table.name << " " << kind << " " << key.name;
    }
  }
}

TEST(Reference, DefaultsReadBack) {
  expect_defaults_read_back(schema::model_table());
  expect_defaults_read_back(schema::loss_table());
  expect_defaults_read_back(schema::optimizer_table());
  expect_defaults_read_back(schema::scheduler_table());
  expect_defaults_read_back(schema::normalisation_table());
  expect_defaults_read_back(schema::claim_table());
}

// The words after `kinds` are kinds that exist: a typing mistake there would hide a key.
template <typename T>
void expect_known_kinds(const schema::Kinded<T>& table) {
  for (const schema::Key<T>& key : table.keys) {
    std::size_t named = 0, words = key.kinds.empty() ? 0 : 1;
    for (const char c : key.kinds) words += c == ' ' ? 1U : 0U;
    for (const std::string_view kind : table.kinds) {
      named += schema::has_word(key.kinds, kind) ? 1U : 0U;
    }
    EXPECT_EQ(named, words) << table.name << "." << key.name << ": " << key.kinds;
    EXPECT_FALSE(key.doc.empty());
  }
}

TEST(Reference, KeysNameKnownKinds) {
  expect_known_kinds(schema::model_table());
  expect_known_kinds(schema::loss_table());
  expect_known_kinds(schema::optimizer_table());
  expect_known_kinds(schema::scheduler_table());
  expect_known_kinds(schema::normalisation_table());
  expect_known_kinds(schema::claim_table());
}

}  // namespace
}  // namespace bioptic
