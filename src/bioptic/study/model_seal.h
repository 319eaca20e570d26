// The checksums of a saved model's metadata: what it says of classes, threshold, normalisation and
// the images that it has seen.  The weights have a checksum of their own (weights_sha256).
#pragma once

#include <map>
#include <string>

namespace bioptic {

// Adds metadata_sha256, over all entries but the hashes of images, and pixel_hashes_sha256 over
// those, which may be taken out together before a model is passed on (docs/prediction.md).  Each is
// the SHA-256 of the entries as a JSON object, keys in order, without spaces.
void seal(std::map<std::string, std::string>& metadata);

// Whether there is a seal; a model that an older program saved has none.
bool is_sealed(const std::map<std::string, std::string>& metadata);

// What is wrong with a sealed model's metadata, for a person; "" where they are as they were saved,
// and where there is no seal.
std::string broken_seal(const std::map<std::string, std::string>& metadata);

}  // namespace bioptic
