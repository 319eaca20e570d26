install(TARGETS bioptic RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS bioptic_dicom LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/bioptic)
install(DIRECTORY studies/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bioptic/studies FILES_MATCHING PATTERN "*.toml")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "bioptic")
set(CPACK_PACKAGE_CONTACT "the bioptic maintainers <maintainers@bioptic.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# gnuplot draws the figures; it is run as a program, so shlibdeps does not see it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "gnuplot-nox, fonts-dejavu-core")
# opened at run time, for data fetch alone
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libcurl4, ca-certificates")
include(CPack)
