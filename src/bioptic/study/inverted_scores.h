// Whether scores of predictions from elsewhere seem to speak for the other class.
#pragma once

#include <string>

#include "bioptic/study/prediction_table.h"

namespace bioptic {

// Why no verdict may be given, naming the remedy, or "": the AUROC of every arm lies below 0.5 with
// its 95 % interval: over seeds and patients, over seeds where that does not exist, of the trained
// model over patients for one seed.  Trainings with a score that is not finite are passed over.
// Every verdict on such scores would be turned round.
std::string why_inverted(const PredictionTable& table);

}  // namespace bioptic
