#include "afterspike/train/connect.hpp"

namespace afterspike::train {

bool can_connect() noexcept {
  return false;
}

std::unique_ptr<Ranks> connect(const Rendezvous& rendezvous, const ConnectOptions& /*options*/) {
  fail(ErrorKind::config,
       "this program was built to train in one process, but is one of {}; expected a build with "
       "Gloo (Debian: libgloo-dev, then cmake -DAFTERSPIKE_DISTRIBUTED=ON)",
       rendezvous.size);
}

}  // namespace afterspike::train
