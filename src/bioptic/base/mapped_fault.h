// What happens when a mapped file is made shorter, or its disk fails, while it is read: the kernel
// then sends SIGBUS to whoever touches the pages that are gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bioptic {

// From now on, such a fault in a file that MappedFile holds ends the process with exit code 1 and a
// message that names the file, on standard error.  Nothing is cleaned up, as after a kill: what is
// written is either whole or has a temporary name.  Called once, by main; a library does not take
// signals.
void report_mapped_faults();

// Remembers that these bytes are the file's until forget_mapped.  Lock-free for the handler's sake;
// beyond kMostMappedFiles at once a file is not named in the message.
inline constexpr std::size_t kMostMappedFiles = 64;
void remember_mapped(const std::uint8_t* begin, std::size_t bytes, const std::string& path);
void forget_mapped(const std::uint8_t* begin);

}  // namespace bioptic
