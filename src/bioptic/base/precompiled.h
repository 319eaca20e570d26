// What most files include, read once for all of them (cmake/BiopticLibrary.cmake).  A file still
// includes what it uses: a build without this header (-DBIOPTIC_PCH=OFF) has to work.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bioptic/base/json.h"
