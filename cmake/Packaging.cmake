file(STRINGS ${PROJECT_SOURCE_DIR}/CITATION.cff cited REGEX "^version: ")
if(NOT cited STREQUAL "version: ${PROJECT_VERSION}")
  message(FATAL_ERROR "CITATION.cff has '${cited}', base/version.h has ${PROJECT_VERSION}: make them one")
endif()

install(TARGETS bioptic RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(BIOPTIC_DICOM)
  install(TARGETS bioptic_dicom LIBRARY DESTINATION lib/bioptic)
endif()
install(DIRECTORY studies/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bioptic/studies FILES_MATCHING PATTERN "*.toml")
install(DIRECTORY examples/compare DESTINATION ${CMAKE_INSTALL_DATADIR}/bioptic/examples)
install(FILES README.md CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.png"
        PATTERN notebook EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "bioptic")
set(CPACK_PACKAGE_CONTACT "the bioptic maintainers <maintainers@bioptic.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
# What the program itself is linked to.  CPack's own SHLIBDEPS would count the DICOM plugin in, and so make GDCM a
# must for everyone.
configure_file(${CMAKE_CURRENT_LIST_DIR}/DebianDepends.cmake.in ${PROJECT_BINARY_DIR}/DebianDepends.cmake @ONLY)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_BINARY_DIR}/DebianDepends.cmake)
# Opened or run only when they are used, which is then said where they are missing: figures, DICOM, data fetch.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox, fonts-dejavu-core, libgdcm3.0, libcurl4, ca-certificates")
include(CPack)
