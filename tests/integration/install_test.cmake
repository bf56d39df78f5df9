# Installs the build in BUILT, moves what was installed to another place, and builds and runs the outside
# project of the folder `install` against it there.

set(work ${BUILT}/tests/install)
set(prefix "${work}/moved here")
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILT} --prefix ${work}/first)
file(RENAME ${work}/first "${prefix}")

# No installed file may name the build folder.
cmake_path(SET sources NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../..)
file(GLOB_RECURSE configs "${prefix}/*.cmake")
if(NOT configs)
  message(FATAL_ERROR "no CMake files were installed below ${prefix}")
endif()
foreach(config IN LISTS configs)
  file(READ "${config}" content)
  string(FIND "${content}" "${sources}" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${config} names the source tree ${sources}")
  endif()
endforeach()

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/install -B ${work}/outside -G Ninja
  "-DCMAKE_PREFIX_PATH=${prefix}" -DTorch_DIR=${TORCH_AT} -DWITH_TORCH=${WITH_TORCH}
  -DCMAKE_BUILD_TYPE=Release "-DEXAMPLES=${sources}docs/examples")
run(${CMAKE_COMMAND} --build ${work}/outside)
run(${CMAKE_COMMAND} -E chdir ${work} ${work}/outside/uses_io)
if(WITH_TORCH)
  run(${work}/outside/uses_nn)
  run(${CMAKE_COMMAND} -E chdir ${work} ${work}/outside/train_glifr)
endif()

# The Python package is found by the interpreter below the prefix, and trains from the data set beside it.
if(WITH_PYTHON)
  file(GLOB packages "${prefix}/lib/python3*/*-packages")
  set(python ${CMAKE_COMMAND} -E env "PYTHONPATH=${packages}" OMP_NUM_THREADS=1 ${WITH_PYTHON} -B)
  run(${python} ${CMAKE_CURRENT_LIST_DIR}/install/uses_python.py ${work})
  run(${python} ${sources}docs/examples/train_glifr.py "${prefix}/share/afterspike/datasets/mini")
endif()

# The program finds the data set that was installed with it, not the one of the source tree.
if(WITH_TORCH)
  execute_process(COMMAND "${prefix}/bin/afterspike" data verify mini_mnist --data-dir ${work}/none
    OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  string(FIND "${output}" "${prefix}/share/afterspike/datasets/mini" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the installed program does not use the data set beside it: ${output}")
  endif()
endif()
