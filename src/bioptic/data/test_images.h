// Files for the tests of this folder, made by the libraries' own encoders.
#pragma once

#include <gtest/gtest.h>
#include <spng.h>
#include <tiffio.h>
#include <turbojpeg.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace bioptic {

// A folder that goes away with the test.
class TestFolder {
 public:
  TestFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("bioptic-data-" + std::to_string(::getpid()) + "-" + std::to_string(next()++))) {
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  static int& next() {
    static int counter = 0;
    return counter;
  }
  std::filesystem::path path_;
};

inline void write_bytes(const std::filesystem::path& path, const void* data, std::size_t bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
}

inline std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// pixels: height x width x channels, interleaved.
template <typename T>
void write_png(const std::filesystem::path& path, int width, int height, int channels,
               const std::vector<T>& pixels) {
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context(spng_ctx_new(SPNG_CTX_ENCODER),
                                                               spng_ctx_free);
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height);
  header.bit_depth = 8 * sizeof(T);
  header.color_type = static_cast<std::uint8_t>(channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE
                                                              : SPNG_COLOR_TYPE_TRUECOLOR);
  spng_set_ihdr(context.get(), &header);
  ASSERT_EQ(spng_encode_image(context.get(), pixels.data(), pixels.size() * sizeof(T), SPNG_FMT_PNG,
                              SPNG_ENCODE_FINALIZE),
            0);
  std::size_t bytes = 0;
  int error = 0;
  void* buffer = spng_get_png_buffer(context.get(), &bytes, &error);
  write_bytes(path, buffer, bytes);
  std::free(buffer);
}

inline void write_jpeg(const std::filesystem::path& path, int width, int height, int channels,
                       const std::vector<std::uint8_t>& pixels, int sampling = TJSAMP_444) {
  unsigned char* buffer = nullptr;
  unsigned long bytes = 0;
  tjhandle handle = tjInitCompress();
  tjCompress2(handle, pixels.data(), width, 0, height, channels == 1 ? TJPF_GRAY : TJPF_RGB,
              &buffer, &bytes, channels == 1 ? TJSAMP_GRAY : sampling, 95, 0);
  write_bytes(path, buffer, bytes);
  tjFree(buffer);
  tjDestroy(handle);
}

template <typename T>
void write_tiff(const std::filesystem::path& path, int width, int height, int channels,
                const std::vector<T>& pixels, std::uint16_t photometric) {
  std::filesystem::create_directories(path.parent_path());
  TIFF* t = TIFFOpen(path.c_str(), "w");
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(width));
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(height));
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * sizeof(T)));
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, channels);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, static_cast<int>(photometric));
  TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 4);
  const std::size_t row = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  std::vector<T> copy = pixels;
  for (int y = 0; y < height; ++y) {
    TIFFWriteScanline(t, &copy[static_cast<std::size_t>(y) * row], static_cast<std::uint32_t>(y));
  }
  TIFFClose(t);
}

// A chunk of a PNG file: name and content, with its length and checksum.
inline std::string png_chunk(const std::string& named) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : named) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0);
  }
  const auto big_endian = [](std::size_t value) {
    std::string out;
    for (int b = 3; b >= 0; --b) out += static_cast<char>(value >> (8 * b) & 0xFF);
    return out;
  };
  return big_endian(named.size() - 4) + named + big_endian(~crc);
}

// Height x width x channels values that differ from pixel to pixel.
template <typename T>
std::vector<T> ramp(int width, int height, int channels, unsigned step = 7) {
  std::vector<T> pixels(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                        static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<T>(i * step);
  return pixels;
}

// The message of the InputError that `work` throws; "" when it throws none.
template <typename Work>
std::string error_of(const Work& work);

}  // namespace bioptic

#include "bioptic/base/error.h"

template <typename Work>
std::string bioptic::error_of(const Work& work) {
  try {
    work();
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}
