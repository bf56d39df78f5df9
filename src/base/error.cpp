#include "afterspike/base/error.hpp"

namespace afterspike {

int exit_status(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::usage:
      return 2;
    case ErrorKind::config:
      return 3;
    case ErrorKind::data:
      return 4;
    case ErrorKind::checkpoint:
      return 5;
    case ErrorKind::numeric:
      return 6;
    case ErrorKind::lost:
      return 7;
    case ErrorKind::internal:
      break;
  }
  return 70;
}

}  // namespace afterspike
