# One static library per folder of src; its tests, beside the code as x_test.cpp, all go into one binary.

function(carillon_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough -Werror
    -fno-omit-frame-pointer -fstack-protector-strong $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  if(CARILLON_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${CARILLON_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${CARILLON_SANITIZE})
  endif()
endfunction()

function(carillon_folder name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*_test.cpp)
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  set_property(GLOBAL APPEND PROPERTY CARILLON_TEST_SOURCES ${tests})
  list(TRANSFORM ARG_DEPENDS PREPEND carillon_)
  if(sources)
    add_library(carillon_${name} STATIC ${sources})
    set(reach PUBLIC)
    carillon_options(carillon_${name})
  else()
    add_library(carillon_${name} INTERFACE)
    set(reach INTERFACE)
  endif()
  target_include_directories(carillon_${name} ${reach} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(carillon_${name} ${reach} ${ARG_DEPENDS} ${ARG_LIBRARIES} fmt::fmt Threads::Threads)
endfunction()

function(carillon_tests)
  find_package(GTest REQUIRED)
  get_property(tests GLOBAL PROPERTY CARILLON_TEST_SOURCES)
  file(GLOB conformance CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/conformance/*_test.cpp
       ${CMAKE_SOURCE_DIR}/tests/integration/*_test.cpp)
  add_executable(carillon_tests ${tests} ${conformance})
  carillon_options(carillon_tests)
  target_link_libraries(carillon_tests PRIVATE carillon_app GTest::gtest_main)
endfunction()
