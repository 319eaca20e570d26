// What libtiff says of one file while it reads it, and what of that touches pixels.
#pragma once

#include <tiffio.h>

#include <cstdarg>
#include <string>
#include <vector>

namespace bioptic {

class TiffMessages {
 public:
  // libtiff's handler of errors and warnings alike; `messages`: a TiffMessages.
  static int take(TIFF* file, void* messages, const char* module, const char* format,
                  std::va_list values);
  void clear() { texts_.clear(); }
  // The last one, in parentheses; "" where there is none.
  std::string last() const;
  // Of a directory that was read: the first message that a tag which the pixels depend on cannot be
  // read or contradicts another, so that libtiff goes by a guess; "" where there is none.
  std::string bad_tag() const;
  // Of pixels that were read: the first message; "" where each pixel is the file's own.
  std::string bad_pixels() const;

 private:
  std::vector<std::string> texts_;
};

}  // namespace bioptic
