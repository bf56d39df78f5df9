#pragma once

#include <string>

#include <pybind11/stl/filesystem.h>
#include <torch/csrc/utils/pybind.h>

#include "afterspike/io/json.hpp"

/// The parts of the extension module afterspike._core, which the package wraps.
namespace afterspike::python {

namespace py = pybind11;

void bind_nn(py::module_& module);
void bind_runs(py::module_& module);
void bind_spiking(py::module_& module);

/// Releases the interpreter for as long as a call computes.
using Released = py::call_guard<py::gil_scoped_release>;

}  // namespace afterspike::python
