# A module is a folder, a target, a namespace and (if public) a folder of headers, all with one name.

set(AFTERSPIKE_SOURCE_INCLUDE ${CMAKE_CURRENT_LIST_DIR}/../include)

# Warnings and sanitizers, on our own targets only.
function(afterspike_compile_options target)
  # -Wno-restrict: GCC 12 reports overlaps in std::string that do not exist (GCC bug 105651).
  # -fno-semantic-interposition: code compiled with -fPIC is inlined; nobody replaces our functions at load time.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-restrict
    -fno-semantic-interposition $<$<BOOL:${AFTERSPIKE_WERROR}>:-Werror>)
  # GCC collects garbage from 1 GB (in kB) on, which saves an eighth of its time; the precompiled header alone is a
  # third of that. The largest units then take 1.7 GB.
  target_compile_options(${target} PRIVATE
    "$<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=1000000;--param=ggc-min-expand=200>")
  if(AFTERSPIKE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${AFTERSPIKE_SANITIZE}
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${AFTERSPIKE_SANITIZE})
  endif()
endfunction()

# Low optimisation for code that takes long to compile and not long to run, such as tests.
function(afterspike_compile_quickly target)
  if(AFTERSPIKE_SANITIZE)
    target_compile_options(${target} PRIVATE -Og)
  else()
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
endfunction()

# afterspike_use_header(target NAME name [TORCH] [TEST]): gives `target` the precompiled header that all
# such targets share; target `name` owns it. Parsing LibTorch costs 15 s a file, reading it precompiled 2 s.
function(afterspike_use_header target)
  cmake_parse_arguments(ARG "TORCH;TEST" "NAME" "" ${ARGN})
  if(NOT TARGET ${ARG_NAME})
    file(WRITE ${CMAKE_BINARY_DIR}/generated/${ARG_NAME}.cpp "")
    add_library(${ARG_NAME} OBJECT ${CMAKE_BINARY_DIR}/generated/${ARG_NAME}.cpp)
    set(headers <algorithm> <filesystem> <fstream> <functional> <map> <memory> <optional> <span> <string>
      <vector> <fmt/format.h> <nlohmann/json.hpp>)
    target_link_libraries(${ARG_NAME} PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
    if(ARG_TORCH)
      list(PREPEND headers <ATen/ATen.h> <torch/csrc/autograd/autograd.h>)
      target_link_libraries(${ARG_NAME} PRIVATE afterspike_torch)
    endif()
    if(ARG_TEST)
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
      target_link_libraries(${ARG_NAME} PRIVATE GTest::gmock)
      afterspike_compile_quickly(${ARG_NAME})
    endif()
    target_precompile_headers(${ARG_NAME} PRIVATE ${headers})
    afterspike_compile_options(${ARG_NAME})
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    # -fPIE would not fit the header, which was compiled with -fPIC.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${ARG_NAME})
endfunction()

# afterspike_source_options(FILE... OPTIONS option...): flags for single sources. They skip the precompiled
# header, because GCC would use the flags of the header and ignore those of the file.
function(afterspike_source_options)
  cmake_parse_arguments(ARG "" "" "OPTIONS" ${ARGN})
  set_source_files_properties(${ARG_UNPARSED_ARGUMENTS} PROPERTIES
    COMPILE_OPTIONS "${ARG_OPTIONS}" SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# Most presets compile several sources as one (CMAKE_UNITY_BUILD): the precompiled header is read and templates
# are instantiated once for all of them, in half the time. Names in anonymous namespaces must be unique within a
# target.
#
# afterspike_compile_apart(target FILE...): compiles sources of the current folder alone. Sources with their own
# flags are always compiled alone.
function(afterspike_compile_apart target)
  foreach(file IN LISTS ARGN)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "APART: '${file}' does not exist")
    endif()
    set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/${file}
      TARGET_DIRECTORY ${target} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
endfunction()

function(afterspike_use_torch target visibility)
  target_link_libraries(${target} ${visibility} afterspike_torch)
  afterspike_use_header(${target} NAME afterspike_torch_header TORCH)
endfunction()

# LibTorch as one interface target with SYSTEM headers and without the -std flag that it exports.
if(AFTERSPIKE_TORCH AND NOT TARGET afterspike_torch)
  add_library(afterspike_torch INTERFACE)
  target_include_directories(afterspike_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(afterspike_torch INTERFACE ${TORCH_LIBRARIES} Threads::Threads)
endif()

# afterspike_library(nn SOURCES a.cpp b.cpp DEPENDS afterspike::base [EXTERNAL fmt::fmt] [PRIVATE_EXTERNAL ...]
#                    [TORCH|NO_PRECOMPILED_HEADER] [APART a.cpp] [QUICK])
#
# QUICK: for a module whose own code takes little processor time; -O1 compiles in three quarters of the time.
# DEPENDS is the only statement of the modules it may use; scripts/check_layers.py reads it.
function(afterspike_library name)
  cmake_parse_arguments(ARG "TORCH;NO_PRECOMPILED_HEADER;QUICK" "" "SOURCES;APART;DEPENDS;EXTERNAL;PRIVATE_EXTERNAL" ${ARGN})
  set(target afterspike_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(afterspike::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${AFTERSPIKE_SOURCE_INCLUDE}> $<INSTALL_INTERFACE:include>)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} ${ARG_EXTERNAL} PRIVATE ${ARG_PRIVATE_EXTERNAL})
  afterspike_compile_options(${target})
  if(ARG_QUICK AND NOT AFTERSPIKE_SANITIZE)
    afterspike_compile_quickly(${target})
  endif()
  if(ARG_TORCH)
    afterspike_use_torch(${target} PUBLIC)
  elseif(NOT ARG_NO_PRECOMPILED_HEADER)
    afterspike_use_header(${target} NAME afterspike_header)
  endif()
  afterspike_compile_apart(${target} ${ARG_APART})
  set_property(GLOBAL APPEND PROPERTY AFTERSPIKE_LIBRARIES ${target})
endfunction()

# afterspike_registry(target HEADER file ENTRY type NAMES name... [FUNCTION entries] [APART]): adds <name>.cpp of
# the current folder to the target for each name, and the definition of the function that HEADER declares,
# which returns the results of every entry_<name>(), in this order (cmake/registry.cpp.in). A name without a file
# fails here; a file without its entry_<name>() fails at the link. APART: each is compiled alone.
function(afterspike_registry target)
  cmake_parse_arguments(ARG "APART" "HEADER;ENTRY;FUNCTION" "NAMES" ${ARGN})
  if(NOT ARG_FUNCTION)
    set(ARG_FUNCTION entries)
  endif()
  set(declarations "")
  set(calls "")
  foreach(name IN LISTS ARG_NAMES)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cpp)
      message(FATAL_ERROR "${target}: '${name}' is registered, but ${name}.cpp does not exist")
    endif()
    target_sources(afterspike_${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cpp)
    if(ARG_APART)
      afterspike_compile_apart(afterspike_${target} ${name}.cpp)
    endif()
    string(APPEND declarations "${ARG_ENTRY} entry_${name}();\n")
    string(APPEND calls "entry_${name}(), ")
  endforeach()
  set(generated ${CMAKE_BINARY_DIR}/generated/${target}_registry.cpp)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/registry.cpp.in ${generated} @ONLY)
  target_sources(afterspike_${target} PRIVATE ${generated})
endfunction()

# afterspike_test(name SOURCES ... [APART file...] DEPENDS ... [TORCH] [LABEL unit|integration]): one
# binary, one CTest entry (a process that links LibTorch takes about a second to start). APART: sources to compile
# alone.
function(afterspike_test name)
  cmake_parse_arguments(ARG "TORCH" "LABEL" "SOURCES;APART;DEPENDS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(${name} PRIVATE
    AFTERSPIKE_TEST_SOURCE_DIR="${CMAKE_SOURCE_DIR}" AFTERSPIKE_TEST_PROGRAM="${CMAKE_BINARY_DIR}/bin/afterspike")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  afterspike_compile_options(${name})
  afterspike_compile_quickly(${name})
  afterspike_compile_apart(${name} ${ARG_APART})
  if(ARG_TORCH)
    target_link_libraries(${name} PRIVATE afterspike_torch)
    afterspike_use_header(${name} NAME afterspike_torch_test_header TORCH TEST)
  else()
    afterspike_use_header(${name} NAME afterspike_test_header TEST)
  endif()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # Products use one thread, as in the program; the thread sanitizer cannot follow OpenBLAS's threads.
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 1200
    ENVIRONMENT OPENBLAS_NUM_THREADS=1)
endfunction()
