// Values of a data set, by tag.  GDCM's own helpers guess (they leave out the rescale of some
// modalities, for example), so tags are read here by number.  What is there and cannot be read is
// refused by its name: a default in its place would give other pixels.
#pragma once

#include <gdcmDataElement.h>
#include <gdcmDataSet.h>
#include <gdcmSequenceOfItems.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bioptic::dicom {

using gdcm::DataSet;
using gdcm::Tag;

// Null where the element is absent or empty.
const gdcm::DataElement* find(const DataSet& data, const Tag& tag);
// Its value in host byte order; empty where it is absent, empty or a sequence.
std::string_view bytes_of(const DataSet& data, const Tag& tag);

// Text without the spaces and zeros that pad it; of several values, the first.
std::string text(const DataSet& data, const Tag& tag, bool first_of_several = true);

// A decimal string; nothing where it is absent or empty.  A decimal comma, which some systems
// write, can mean nothing else: the standard knows no separator of thousands.  Of several values
// the first, where `several` allows them.  Throws Refused, with `name`, for what is no number.
enum class Several { refused, first };
std::optional<double> decimal(const DataSet& data, const Tag& tag, const char* name,
                              Several several = Several::refused);

// A whole number of 16 bits, unsigned (a negative one of 16 bits + 65536); an integer string where
// the file gives it that type.  Nothing where it is absent or empty.  Throws Refused, with `name`,
// for another type, several values or no whole one.
std::optional<std::uint16_t> word(const DataSet& data, const Tag& tag, const char* name);
// Throws Refused where it is absent, too.
int required(const DataSet& data, const Tag& tag, const char* name);

// The data sets of a sequence.  Throws Refused, with `name`, for something else than a sequence.
class Items {
 public:
  Items(const DataSet& data, const Tag& tag, const char* name);
  std::size_t size() const { return sequence_ ? sequence_->GetNumberOfItems() : 0; }
  const DataSet* at(std::size_t index) const;  // null where there is none

 private:
  gdcm::SmartPointer<gdcm::SequenceOfItems> sequence_;
};

}  // namespace bioptic::dicom
