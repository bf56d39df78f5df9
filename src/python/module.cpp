#include <filesystem>

#include "afterspike/base/error.hpp"
#include "bindings.hpp"

namespace afterspike::python {
namespace {

/// The exception of Python that an error becomes.
PyObject* exception_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::config:
    case ErrorKind::data:
    case ErrorKind::checkpoint:
    case ErrorKind::numeric:
      return PyExc_ValueError;
    case ErrorKind::lost:
      return PyExc_ConnectionError;
    case ErrorKind::internal:
      break;
  }
  return PyExc_RuntimeError;
}

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const Error& error) {
    PyErr_SetString(exception_of(error.kind()), error.what());
  } catch (const c10::Error& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what_without_backtrace());
  }
}

}  // namespace
}  // namespace afterspike::python

PYBIND11_MODULE(_core, module) {
  using namespace afterspike::python;
  module.doc() = "Compiled part of the package afterspike; use the package.";
  py::register_exception_translator(translate);
  bind_nn(module);
  bind_runs(module);
  bind_spiking(module);
}
