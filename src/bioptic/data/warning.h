// How those notes of an import begin that are to be seen also by people who want none.
#pragma once

namespace bioptic {

inline constexpr char kWarning[] = "Warning: ";

}  // namespace bioptic
