# Files that choose words, not numbers, are compiled in half the time so.
if(NOT BIOPTIC_SANITIZE)
  set(BIOPTIC_WORDS_OPTIONS $<$<CONFIG:Release>:-Og>)
endif()

# bioptic_library(NAME DEPS lower... LINK external... SUBFOLDERS folder... [PRECOMPILED])
#
# One folder under src/bioptic is one static library, bioptic_NAME, of the folder's *.cpp files; its
# *_test.cpp files become the test program NAME_test.
#
# PRECOMPILED: it shares base/precompiled.h, which base compiles.  That pays where most files include
# nlohmann/json; files of a second or two get slower by it.
#
# The dependency order is enforced by the include path: a library sees its own headers and those of
# the libraries it names, each through a directory that holds nothing else, so an #include that goes
# against the order does not compile.
function(bioptic_library name)
  cmake_parse_arguments(ARG "PRECOMPILED" "" "DEPS;LINK;SUBFOLDERS" ${ARGN})
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  file(RELATIVE_PATH relative ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  set(view ${PROJECT_BINARY_DIR}/include/${name})
  get_filename_component(parent ${view}/${relative} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  if(NOT EXISTS ${view}/${relative})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${relative} SYMBOLIC)
  endif()

  set(patterns *.cpp)
  foreach(subfolder ${ARG_SUBFOLDERS})
    list(APPEND patterns ${subfolder}/*.cpp)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  list(TRANSFORM ARG_DEPS PREPEND bioptic_)
  if(sources)
    add_library(bioptic_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(bioptic_${name} PRIVATE ${ARG_LINK})
  else()
    add_library(bioptic_${name} INTERFACE)
    set(scope INTERFACE)
    target_link_libraries(bioptic_${name} INTERFACE ${ARG_LINK})
  endif()
  target_include_directories(bioptic_${name} ${scope} ${view})
  target_link_libraries(bioptic_${name} ${scope} ${ARG_DEPS})

  if(BIOPTIC_PCH AND ARG_PRECOMPILED)
    if(name STREQUAL base)
      target_precompile_headers(bioptic_base PRIVATE precompiled.h)
    else()
      target_precompile_headers(bioptic_${name} REUSE_FROM bioptic_base)
    endif()
  endif()

  if(tests AND BIOPTIC_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE bioptic_${name} ${ARG_LINK} GTest::gtest_main)
    # Tests compile a quarter faster so, and their time is spent in the library.
    if(NOT BIOPTIC_SANITIZE)
      target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    endif()
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit
                         WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  endif()
endfunction()
