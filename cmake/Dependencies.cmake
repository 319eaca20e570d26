# Everything comes from the distribution's packages (scripts/packages.txt); nothing is downloaded.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Boost REQUIRED)  # Boost.Math, headers only
find_package(SQLiteCpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(TIFF REQUIRED)
find_package(CURL REQUIRED)  # its header; the library is opened when something is fetched
if(BIOPTIC_DICOM)
  set(GDCM_SKIP_USE_VTK ON)
  find_package(GDCM REQUIRED)  # for the DICOM plugin alone
endif()
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)  # libjpeg-turbo's
if(BIOPTIC_TESTS)
  find_package(GTest REQUIRED)
  pkg_check_modules(TURBOJPEG REQUIRED IMPORTED_TARGET libturbojpeg)  # for the tests' files
endif()
pkg_check_modules(SPNG REQUIRED IMPORTED_TARGET spng)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(ZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
