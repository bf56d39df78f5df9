# `cmake --install` installs the program, the libraries with their headers, and the program's data. Another
# project calls find_package(afterspike) and links afterspike::nn; tests/integration/install is an example.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/afterspike)
set(share_folder ${CMAKE_INSTALL_DATADIR}/afterspike)

# All modules except cli, which nothing may use.
get_property(libraries GLOBAL PROPERTY AFTERSPIKE_LIBRARIES)
list(REMOVE_ITEM libraries afterspike_cli)
set(AFTERSPIKE_COMPONENTS ${libraries})
list(TRANSFORM AFTERSPIKE_COMPONENTS REPLACE "^afterspike_" "")

# Components that need LibTorch, directly or through another one.
set(AFTERSPIKE_TORCH_COMPONENTS "")
foreach(library IN LISTS libraries)
  target_compile_features(${library} INTERFACE cxx_std_20)
  get_target_property(uses ${library} LINK_LIBRARIES)
  string(REGEX REPLACE "^afterspike_" "" name ${library})
  foreach(used IN LISTS uses)
    string(REGEX REPLACE "^afterspike::" "" used "${used}")
    if(used STREQUAL "afterspike_torch" OR used IN_LIST AFTERSPIKE_TORCH_COMPONENTS)
      list(APPEND AFTERSPIKE_TORCH_COMPONENTS ${name})
      break()
    endif()
  endforeach()
endforeach()

# Users find LibTorch themselves, so that no installed file holds a path of this machine.
if(TARGET afterspike_torch)
  set_target_properties(afterspike_torch PROPERTIES EXPORT_NAME torch)
  foreach(property INTERFACE_LINK_LIBRARIES INTERFACE_INCLUDE_DIRECTORIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES)
    get_target_property(value afterspike_torch ${property})
    if(value)
      set_target_properties(afterspike_torch PROPERTIES ${property} "$<BUILD_INTERFACE:${value}>")
    endif()
  endforeach()
  list(APPEND libraries afterspike_torch)
endif()

install(TARGETS ${libraries} EXPORT afterspike ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT afterspike NAMESPACE afterspike:: FILE afterspikeTargets.cmake DESTINATION ${config_folder})
foreach(name IN LISTS AFTERSPIKE_COMPONENTS)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/afterspike/${name}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/afterspike)
endforeach()
if(TARGET afterspike)
  # Finds a LibTorch outside the system's folders.
  set_target_properties(afterspike PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS afterspike RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(DIRECTORY ${CMAKE_SOURCE_DIR}/datasets/mini DESTINATION ${share_folder}/datasets)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/tasks/configs ${CMAKE_SOURCE_DIR}/tasks/networks
  DESTINATION ${share_folder})
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/CITATION.cff DESTINATION ${share_folder})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/afterspikeConfig.cmake.in
  ${CMAKE_BINARY_DIR}/generated/afterspikeConfig.cmake INSTALL_DESTINATION ${config_folder}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break compatibility.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/afterspikeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/generated/afterspikeConfig.cmake
  ${CMAKE_BINARY_DIR}/generated/afterspikeConfigVersion.cmake DESTINATION ${config_folder})
