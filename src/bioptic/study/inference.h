// What a verdict is asked to speak for.
#pragma once

namespace bioptic {

// patients: other seeds and other patients, E2.  seeds: other seeds on these images, E1; declared
// by a study before it is trained, or what the quantity is (a curve).  Where E2 is asked for and
// cannot be given, nothing is borrowed from E1.
enum class Inference { patients, seeds };

}  // namespace bioptic
