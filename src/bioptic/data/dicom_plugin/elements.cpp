#include "bioptic/data/dicom_plugin/elements.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "bioptic/data/dicom_plugin/refused.h"

namespace bioptic::dicom {
namespace {

std::string_view trimmed(std::string_view value) {
  const auto padding = [](char c) { return c == ' ' || c == '\0' || c == '\n' || c == '\r'; };
  while (!value.empty() && padding(value.front())) value.remove_prefix(1);
  while (!value.empty() && padding(value.back())) value.remove_suffix(1);
  return value;
}

[[noreturn]] void refuse(const char* name, const char* what) {
  throw Refused(std::string("has a ") + name + " that " + what);
}

std::uint64_t type_of(const gdcm::DataElement& element) {
  return static_cast<std::uint64_t>(static_cast<gdcm::VR::VRType>(element.GetVR()));
}

constexpr std::uint64_t kTexts = gdcm::VR::IS | gdcm::VR::DS | gdcm::VR::SH | gdcm::VR::LO |
                                 gdcm::VR::CS | gdcm::VR::ST | gdcm::VR::LT | gdcm::VR::UT;

std::uint16_t word_of(const gdcm::DataElement& element, std::string_view value, const char* name) {
  // Implicit VR has no types; an unknown one is taken as what it should be.
  constexpr std::uint64_t kWords =
      gdcm::VR::US | gdcm::VR::SS | gdcm::VR::OW | gdcm::VR::UN | gdcm::VR::OB | gdcm::VR::INVALID;
  const std::uint64_t type = type_of(element);
  if (type == gdcm::VR::INVALID || (type & kWords) != 0) {
    if (value.size() != 2) refuse(name, "is not one number of 16 bits");
    std::uint16_t number = 0;
    std::memcpy(&number, value.data(), 2);
    return number;
  }
  if (type == gdcm::VR::UL || type == gdcm::VR::SL) {
    std::uint32_t number = 0;
    if (value.size() != 4) refuse(name, "is not one number");
    std::memcpy(&number, value.data(), 4);
    if (number > 65535) refuse(name, "needs more than 16 bits");
    return static_cast<std::uint16_t>(number);
  }
  if ((type & kTexts) == 0) refuse(name, "has a type (VR) that holds no whole number");
  const std::string_view digits = trimmed(value);
  std::uint16_t number = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || rest != digits.data() + digits.size()) {
    refuse(name, "is no whole number");
  }
  return number;
}

}  // namespace

const gdcm::DataElement* find(const DataSet& data, const Tag& tag) {
  if (!data.FindDataElement(tag)) return nullptr;
  const gdcm::DataElement& element = data.GetDataElement(tag);
  return element.IsEmpty() ? nullptr : &element;
}

std::string_view bytes_of(const DataSet& data, const Tag& tag) {
  const gdcm::DataElement* element = find(data, tag);
  const gdcm::ByteValue* value = element == nullptr ? nullptr : element->GetByteValue();
  if (value == nullptr || value->GetPointer() == nullptr) return {};
  return {value->GetPointer(), value->GetLength()};
}

std::string text(const DataSet& data, const Tag& tag, bool first_of_several) {
  std::string_view value = bytes_of(data, tag);
  if (first_of_several) value = value.substr(0, value.find('\\'));
  return std::string(trimmed(value));
}

std::optional<double> decimal(const DataSet& data, const Tag& tag, const char* name,
                              Several several) {
  const std::string all = text(data, tag, false);
  if (all.empty()) {
    if (find(data, tag) != nullptr && bytes_of(data, tag).empty()) refuse(name, "is no number");
    return {};
  }
  const std::uint64_t type = type_of(*find(data, tag));
  if (type != gdcm::VR::INVALID && (type & (kTexts | gdcm::VR::UN)) == 0) {
    refuse(name, "has a type (VR) that holds no text");
  }
  if (several == Several::refused && all.find('\\') != std::string::npos) {
    refuse(name, "is several numbers");
  }
  std::string number(trimmed(std::string_view(all).substr(0, all.find('\\'))));
  if (number.find('.') == std::string::npos && std::count(number.begin(), number.end(), ',') == 1) {
    number[number.find(',')] = '.';
  }
  if (number.starts_with('+') && !number.starts_with("+-")) number.erase(0, 1);
  double value = 0;
  const char* end = number.data() + number.size();
  const auto [rest, error] = std::from_chars(number.data(), end, value);
  if (error != std::errc{} || rest != end || !std::isfinite(value)) refuse(name, "is no number");
  return value;
}

std::optional<std::uint16_t> word(const DataSet& data, const Tag& tag, const char* name) {
  const gdcm::DataElement* element = find(data, tag);
  if (element == nullptr) return {};
  return word_of(*element, bytes_of(data, tag), name);
}

int required(const DataSet& data, const Tag& tag, const char* name) {
  const auto value = word(data, tag, name);
  if (!value) throw Refused(std::string("has pixels but no ") + name + ", which they need");
  return *value;
}

Items::Items(const DataSet& data, const Tag& tag, const char* name) {
  const gdcm::DataElement* element = find(data, tag);
  if (element == nullptr) return;
  sequence_ = element->GetValueAsSQ();
  if (!sequence_) refuse(name, "is no sequence");
}

const DataSet* Items::at(std::size_t index) const {
  return index < size() ? &sequence_->GetItem(index + 1).GetNestedDataSet() : nullptr;
}

}  // namespace bioptic::dicom
