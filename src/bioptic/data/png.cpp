#include "bioptic/data/png.h"

#include <spng.h>

#include <cstdlib>
#include <memory>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

std::string encode(int width, int height, int channels, int bits, const void* pixels,
                   std::size_t bytes) {
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context(spng_ctx_new(SPNG_CTX_ENCODER),
                                                               spng_ctx_free);
  if (!context) throw Failure("PNG: out of memory");
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height);
  header.bit_depth = static_cast<std::uint8_t>(bits);
  header.color_type = static_cast<std::uint8_t>(channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE
                                                              : SPNG_COLOR_TYPE_TRUECOLOR);
  int error = spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  if (error == 0) error = spng_set_ihdr(context.get(), &header);
  if (error == 0) {
    error = spng_encode_image(context.get(), pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  }
  std::size_t length = 0;
  const std::unique_ptr<void, void (*)(void*)> buffer(
      error == 0 ? spng_get_png_buffer(context.get(), &length, &error) : nullptr, std::free);
  if (error != 0 || !buffer) throw Failure(std::string("PNG: ") + spng_strerror(error));
  return {static_cast<const char*>(buffer.get()), length};
}

}  // namespace

std::string png_bytes(int width, int height, int channels, std::span<const std::uint8_t> pixels) {
  return encode(width, height, channels, 8, pixels.data(), pixels.size());
}

std::string png_bytes(int width, int height, int channels, std::span<const std::uint16_t> pixels) {
  return encode(width, height, channels, 16, pixels.data(), 2 * pixels.size());
}

}  // namespace bioptic
