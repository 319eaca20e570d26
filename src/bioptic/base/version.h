#pragma once

namespace bioptic {

// The build reads it from here.
inline constexpr const char* kVersion = "0.9.0";

}  // namespace bioptic
