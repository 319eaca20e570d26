// The classes of a file of predictions, from its labels and the names of its columns.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bioptic {

struct LabelClasses {
  std::vector<std::string> classes;             // at least 2, in the order of PredictionTable
  std::map<std::string, std::size_t> of_label;  // every label, and every class by its name
  std::size_t positive = 1;                     // of two classes
  bool positive_known = true;                   // see PredictionTable
  // What the positive class is needed for, where nothing tells it, as ask_positive() takes it.
  std::string asks;
};

// What is known besides the labels.
struct LabelEvidence {
  std::vector<std::string> columns;  // classes of score_<class> columns; empty with `score`
  std::string positive;              // named by an option or a column; "" = by neither
  bool threshold_given = false;      // one that is not the usual
  std::string uneven;                // where two columns do not sum to 1; "" = nowhere
};

// With columns, labels are their names or, if not all are, count them from 0.  Without, labels are
// in order: numbers by value, names by letter; of one label alone the other is its clear_partner()
// or the one that was named.  where: file and line of the first image with a label.  Throws
// InputError for a label without a column, for more than two labels without columns, for a positive
// class that is none, and for one label alone of which nothing is known.
LabelClasses label_classes(const std::set<std::string>& labels, const LabelEvidence& evidence,
                           const std::function<std::string(const std::string&)>& where);

}  // namespace bioptic
