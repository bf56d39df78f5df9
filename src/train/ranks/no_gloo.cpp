#include "afterspike/train/connect.hpp"

namespace afterspike::train {

bool can_connect() noexcept {
  return false;
}

std::unique_ptr<Ranks> connect(const Place& place, const ConnectOptions& /*options*/) {
  fail(ErrorKind::config,
       "this program was built to train in one process, but is one of {}; expected a build with "
       "Gloo (Debian: libgloo-dev, then cmake -DAFTERSPIKE_DISTRIBUTED=ON)",
       place.size);
}

}  // namespace afterspike::train
