#include "bioptic/base/exception_text.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <stdexcept>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

TEST(ExceptionText, NamesTheFileAndTheCause) {
  EXPECT_EQ(exception_text(InputError("x.csv: is empty")), "x.csv: is empty");
  const std::filesystem::filesystem_error full("cannot create directory", "out/s",
                                               std::make_error_code(std::errc::no_space_on_device));
  EXPECT_EQ(exception_text(full), "out/s: No space left on device");
  EXPECT_NE(exception_text(std::bad_alloc()).find("not enough memory"), std::string::npos);
  EXPECT_NE(exception_text(std::length_error("vector")).find("not enough memory"),
            std::string::npos);
}

}  // namespace
}  // namespace bioptic
