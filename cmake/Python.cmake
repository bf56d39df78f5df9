# Decides whether the Python package is built: pybind11 and a PyTorch of LibTorch's version are needed, for one
# interpreter. Sets AFTERSPIKE_PYTHON_FOUND, the library AFTERSPIKE_TORCH_PYTHON, the folders
# AFTERSPIKE_PYTHON_INCLUDE and the suffix AFTERSPIKE_PYTHON_SUFFIX of compiled modules.

set(AFTERSPIKE_PYTHON_FOUND OFF)
find_program(AFTERSPIKE_PYTHON_EXECUTABLE python3 PATHS /usr/bin NO_DEFAULT_PATH
  DOC "Interpreter of the Python package")

# FindPython would find the interpreter of the PATH, for which there may be no PyTorch.
function(afterspike_find_python why)
  execute_process(COMMAND ${AFTERSPIKE_PYTHON_EXECUTABLE} -c "import os, sys, sysconfig, torch
print(torch.__version__, os.path.dirname(torch.__file__), sysconfig.get_paths()['include'],
      sysconfig.get_config_var('EXT_SUFFIX'), 'lib/python%d.%d/' % sys.version_info[:2]
      + os.path.basename(sysconfig.get_path('platlib')), sep=';')"
    OUTPUT_VARIABLE found RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT status EQUAL 0)
    set(${why} "${AFTERSPIKE_PYTHON_EXECUTABLE} has no PyTorch (python3-torch)" PARENT_SCOPE)
    return()
  endif()
  list(GET found 0 version)
  list(GET found 1 folder)
  list(GET found 2 python_include)
  list(GET found 3 suffix)
  list(GET found 4 packages)
  find_path(AFTERSPIKE_PYBIND11 pybind11/pybind11.h)
  find_library(AFTERSPIKE_TORCH_PYTHON torch_python HINTS ${folder}/lib)
  string(REGEX MATCH "^[0-9]+[.][0-9]+" version "${version}")
  string(REGEX MATCH "^[0-9]+[.][0-9]+" wanted "${Torch_VERSION}")
  if(NOT version VERSION_EQUAL wanted)
    set(${why} "PyTorch is ${version}, LibTorch ${wanted}" PARENT_SCOPE)
  elseif(NOT AFTERSPIKE_PYBIND11)
    set(${why} "pybind11/pybind11.h was not found (pybind11-dev)" PARENT_SCOPE)
  elseif(NOT AFTERSPIKE_TORCH_PYTHON)
    set(${why} "libtorch_python was not found" PARENT_SCOPE)
  elseif(NOT EXISTS ${python_include}/Python.h)
    set(${why} "${python_include}/Python.h was not found (python3-dev)" PARENT_SCOPE)
  else()
    set(${why} "" PARENT_SCOPE)
    set(AFTERSPIKE_PYTHON_INCLUDE ${AFTERSPIKE_PYBIND11} ${python_include} PARENT_SCOPE)
    set(AFTERSPIKE_PYTHON_SUFFIX ${suffix} PARENT_SCOPE)
    set(AFTERSPIKE_PYTHON_INSTALL ${packages} CACHE STRING "Folder of Python packages below the prefix")
  endif()
endfunction()

# afterspike_extension(python TORCH SOURCES ... DEPENDS ...): the compiled module _core of the package.
# DEPENDS is read by scripts/check_layers.py, like that of afterspike_library().
function(afterspike_extension name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPENDS" ${ARGN})
  set(target afterspike_${name})
  add_library(${target} MODULE ${ARG_SOURCES})
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME _core SUFFIX ${AFTERSPIKE_PYTHON_SUFFIX}
    CXX_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/python/afterspike)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_include_directories(${target} SYSTEM PRIVATE ${AFTERSPIKE_PYTHON_INCLUDE})
  target_link_libraries(${target} PRIVATE ${ARG_DEPENDS} afterspike_torch ${AFTERSPIKE_TORCH_PYTHON})
  # Static libraries of ours keep their names to themselves.
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL)
  target_compile_definitions(${target} PRIVATE AFTERSPIKE_VERSION="${PROJECT_VERSION}")
  afterspike_compile_options(${target})
  afterspike_compile_quickly(${target})
endfunction()

if(AFTERSPIKE_PYTHON_EXECUTABLE AND NOT AFTERSPIKE_SANITIZE)
  afterspike_find_python(why)
  if(why)
    message(STATUS "Without the Python package: ${why}")
  else()
    set(AFTERSPIKE_PYTHON_FOUND ON)
  endif()
endif()
option(AFTERSPIKE_PYTHON "Build the Python package" ${AFTERSPIKE_PYTHON_FOUND})
