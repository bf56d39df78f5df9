# Dependencies: all are Debian packages, listed in scripts/packages.txt.

find_package(fmt 9 REQUIRED)                  # formatting: <format> is not in this GCC
find_package(nlohmann_json 3.11 REQUIRED)     # manifests, metrics, summaries
find_package(tomlplusplus 3.3 REQUIRED)       # experiment files, errors with line numbers
find_package(ZLIB REQUIRED)                   # gzipped IDX files
find_package(OpenSSL REQUIRED COMPONENTS Crypto)  # SHA-256 and MD5 of data sets and checkpoints
find_package(CURL REQUIRED)                   # data sets over HTTPS
find_package(LibArchive REQUIRED)             # data sets inside npm and Debian packages
find_package(HDF5 1.10 REQUIRED COMPONENTS C) # users' sequences, spiking data
find_package(hwy 1.0 REQUIRED CONFIG)          # vector instructions of any processor, chosen at run time
# Matrix products of float32 and bfloat16; without it BLAS computes those of float32. Its own CMake package
# would require OpenCL.
option(AFTERSPIKE_ONEDNN "Matrix products through oneDNN where it is found, else BLAS" ON)
if(AFTERSPIKE_ONEDNN)
  find_library(AFTERSPIKE_DNNL dnnl)
endif()
if(NOT AFTERSPIKE_ONEDNN OR NOT AFTERSPIKE_DNNL)
  message(STATUS "Without oneDNN (libdnnl-dev): products of float32 through BLAS, none in bfloat16")
endif()
find_package(BLAS REQUIRED)                   # matrix products of float64, and LibTorch's
find_package(OpenMP REQUIRED COMPONENTS CXX)  # only to tell oneDNN to start no threads
find_package(Eigen3 3.4 REQUIRED NO_MODULE)    # linear algebra of clustering
find_package(Threads REQUIRED)

if(AFTERSPIKE_TORCH)
  find_package(cxxopts 3 REQUIRED)            # the command line
  # LibTorch 1.13 (Debian) or newer; CMAKE_PREFIX_PATH selects another one.
  find_package(Torch 1.13 REQUIRED)
  # Training in several processes: LibTorch's c10d includes Gloo's headers, which it does not ship.
  find_path(AFTERSPIKE_GLOO gloo/context.h)
  if(AFTERSPIKE_GLOO)
    set(has_gloo ON)
  else()
    set(has_gloo OFF)
    message(STATUS "Without training in several processes: gloo/context.h was not found (libgloo-dev)")
  endif()
  option(AFTERSPIKE_DISTRIBUTED "Train in several processes, over LibTorch's c10d with Gloo" ${has_gloo})
endif()
if(AFTERSPIKE_TESTS)
  find_package(GTest 1.12 REQUIRED)
  find_package(benchmark 1.7 REQUIRED)        # micro-benchmarks
endif()
