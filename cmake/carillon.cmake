# One static library per folder of src; its tests, beside the code as x_test.cpp, all go into one binary.

function(carillon_flags target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough -Wzero-as-null-pointer-constant -Wsuggest-override -Werror
    -fno-omit-frame-pointer -fstack-protector-strong $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  if(CARILLON_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${CARILLON_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${CARILLON_SANITIZE})
  endif()
endfunction()

# Headers that are read once for all files of the targets that take them: half of the time of every build. Each file still
# includes what it uses; clang-tidy reads it without.
function(carillon_prelude name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBRARIES" ${ARGN})
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  # The same headers make the same file, whenever it is made, or ccache would never know it again.
  target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endfunction()

function(carillon_options target)
  carillon_flags(${target})
  target_precompile_headers(${target} REUSE_FROM carillon_prelude)
endfunction()

# What protoc makes of proto/, and the gRPC libraries: carillon_proto.
function(carillon_proto)
  find_package(Protobuf REQUIRED)
  find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
  set(out ${CMAKE_BINARY_DIR}/proto)
  set(name carillon/v1/events)
  add_custom_command(
    OUTPUT ${out}/${name}.pb.cc ${out}/${name}.pb.h ${out}/${name}.grpc.pb.cc ${out}/${name}.grpc.pb.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
    COMMAND ${Protobuf_PROTOC_EXECUTABLE} --proto_path=${CMAKE_SOURCE_DIR}/proto --cpp_out=${out} --grpc_out=${out}
            --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${name}.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/proto/${name}.proto VERBATIM)
  add_library(carillon_proto STATIC ${out}/${name}.pb.cc ${out}/${name}.grpc.pb.cc)
  if(CARILLON_SANITIZE)
    target_compile_options(carillon_proto PRIVATE -fsanitize=${CARILLON_SANITIZE})
  endif()
  target_include_directories(carillon_proto SYSTEM PUBLIC ${out})
  target_link_libraries(carillon_proto PUBLIC grpc++_reflection grpc++ grpc gpr absl_synchronization protobuf::libprotobuf)
endfunction()

function(carillon_folder name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*_test.cpp)
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  if(NOT CARILLON_GRPC)
    list(FILTER sources EXCLUDE REGEX "/grpc_(event|publisher)\\.cpp$")
    list(FILTER tests EXCLUDE REGEX "/grpc_[a-z_]+\\.cpp$")
  endif()
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

# What is tested is optimised, the tests need not be: most of their time is the compiler's.
function(carillon_test_flags target)
  carillon_flags(${target})
  target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
endfunction()

function(carillon_test_options target)
  carillon_test_flags(${target})
  target_precompile_headers(${target} REUSE_FROM carillon_test_prelude)
endfunction()

function(carillon_tests)
  get_property(tests GLOBAL PROPERTY CARILLON_TEST_SOURCES)
  file(GLOB conformance CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/conformance/*_test.cpp
       ${CMAKE_SOURCE_DIR}/tests/integration/*_test.cpp)
  add_executable(carillon_tests ${tests} ${conformance})
  carillon_test_options(carillon_tests)
  target_link_libraries(carillon_tests PRIVATE carillon_app GTest::gtest_main)
endfunction()
