#include "bioptic/model/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/random.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class Safetensors : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove(file_); }
  SavedModel read(const std::string& bytes) {
    write_file(file_, bytes);
    return read_safetensors(file_);
  }
  // A file of that JSON header and so many bytes of tensors.
  static std::string with_header(const std::string& header, std::size_t bytes) {
    const std::uint64_t length = header.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &length, 8);
    return out + header + std::string(bytes, '\0');
  }
  fs::path file_ = fs::temp_directory_path() /
                   temporary_beside(std::string("m") + std::to_string(::getpid())).filename();
};

Parameters small() {
  ModelSpec model;
  model.hidden = {3, 2};
  return initial_parameters(layer_shapes(5, model, 1), 4);
}

TEST_F(Safetensors, ReadsBackWhatWasWritten) {
  const Parameters parameters = small();
  for (const bool dropout : {false, true}) {
    const SavedModel back =
        read(to_safetensors(parameters, dropout, {{"classes", "a\nb"}, {"quote", "\"\\\n"}}));
    EXPECT_EQ(parameters_sha256(back.parameters), parameters_sha256(parameters));
    ASSERT_EQ(back.parameters.shapes.size(), 3U);
    EXPECT_EQ(back.parameters.shapes[1].in, 3U);
    EXPECT_EQ(back.parameters.shapes[1].out, 2U);
    EXPECT_EQ(back.metadata.at("classes"), "a\nb");
    EXPECT_EQ(back.metadata.at("quote"), "\"\\\n");
    EXPECT_EQ(read_safetensors_metadata(file_), back.metadata);
  }
}

TEST_F(Safetensors, NamesTensorsAsTheEquivalentSequential) {
  const std::string plain = to_safetensors(small(), false, {});
  for (const char* name : {"\"0.weight\"", "\"2.bias\"", "\"4.weight\""}) {
    EXPECT_NE(plain.find(name), std::string::npos) << name;
  }
  EXPECT_NE(to_safetensors(small(), true, {}).find("\"6.weight\""), std::string::npos);
  std::uint64_t length = 0;
  std::memcpy(&length, plain.data(), 8);
  EXPECT_EQ(length % 8, 0U);  // the tensors are aligned, as the format asks
}

TEST_F(Safetensors, BytesThatAreNoUtf8DoNotStopTheWriting) {
  EXPECT_EQ(read(to_safetensors(small(), false, {{"classes", "a\xff"}})).metadata.at("classes"),
            "a\\xFF");
}

TEST_F(Safetensors, RefusesHeadersThatLie) {
  const auto tensor = [](const std::string& name, const std::string& rest) {
    return "\"" + name + "\":{" + rest + "}";
  };
  const std::string bias = tensor("0.bias", R"("dtype":"F32","shape":[1],"data_offsets":[8,12])");
  const auto file = [&](const std::string& weight) {
    return with_header("{" + weight + "," + bias + "}", 12);
  };
  const auto weight = [&](const std::string& rest) { return file(tensor("0.weight", rest)); };
  // The honest one is read.
  EXPECT_EQ(read(weight(R"("dtype":"F32","shape":[1,2],"data_offsets":[0,8])"))
                .parameters.layers[0]
                .weight.size(),
            2U);
  for (const std::string& bad : {
           weight(R"("dtype":"F64","shape":[1,2],"data_offsets":[0,8])"),
           weight(R"("dtype":"F32","shape":[1,2],"data_offsets":[0,12])"),
           weight(R"("dtype":"F32","shape":[1,2],"data_offsets":[8,0])"),
           weight(R"("dtype":"F32","shape":[1,2],"data_offsets":[8,16])"),
           weight(R"("dtype":"F32","shape":[1,2],"data_offsets":[-8,0])"),
           weight(R"("dtype":"F32","shape":[1,2],"data_offsets":[0])"),
           weight(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"),
           weight(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0])"),
           weight(R"("dtype":"F32","shape":[-1,-2],"data_offsets":[0,8])"),
           weight(R"("dtype":"F32","shape":[0,2],"data_offsets":[0,0])"),
           weight(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"),
           weight(R"("dtype":"F32","shape":[2,1],"data_offsets":[0,8])"),  // bias is for one output
           weight(R"("dtype":"F32","shape":"12","data_offsets":[0,8])"),
           weight(R"("dtype":1)"),
           file(tensor("1.weight", R"("dtype":"F32","shape":[1,2],"data_offsets":[0,8])")),
           file(tensor("x.weight", R"("dtype":"F32","shape":[1,2],"data_offsets":[0,8])")),
           file(tensor("99999999999999999999.weight",
                       R"("dtype":"F32","shape":[1,2],"data_offsets":[0,8])")),
           file(R"("__metadata__":{"classes":1})"),
           file(R"("__metadata__":[])"),
           with_header("{" + bias + "}", 12),
           with_header("[]", 12),
           with_header("3", 12),
           with_header("{}", 0),
           with_header("", 0),
           with_header("{\"0.weight\":", 0),
           with_header(std::string(100'000, '['), 0),
           std::string(),
           std::string(7, '\0'),
           std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8),
           std::string("\xf8\xff\xff\xff\xff\xff\xff\xff{}", 10),
       }) {
    EXPECT_THROW(read(bad), InputError) << bad.substr(0, 200);
  }
  EXPECT_THROW(read_safetensors("/nowhere/at/all"), InputError);
}

// Any single damaged byte, and any length: an error or a model, never a crash.
TEST_F(Safetensors, SurvivesDamage) {
  const std::string good = to_safetensors(small(), false, {{"classes", "a\nb"}});
  RandomStream random(1, "damage");
  for (int i = 0; i < 200; ++i) {
    std::string bad = good;
    if (i % 4 == 0) {
      bad.resize(random.below(good.size()));
    } else {
      bad[random.below(std::min<std::size_t>(good.size(), 400))] =
          static_cast<char>(random.below(256));
    }
    try {
      const SavedModel model = read(bad);
      EXPECT_EQ(model.parameters.layers.size(), model.parameters.shapes.size());
    } catch (const InputError&) {
    }
  }
}

}  // namespace
}  // namespace bioptic
