// What an exception says, for a person: those of the standard library name no cause or no file.
#pragma once

#include <exception>
#include <string>

namespace bioptic {

std::string exception_text(const std::exception& exception);

}  // namespace bioptic
