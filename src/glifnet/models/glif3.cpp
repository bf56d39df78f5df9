#include "leaky.hpp"

namespace afterspike::glifnet {

ModelEntry entry_glif3() {
  return {"glif3", "GLIF1 with after-spike currents", glif_model(false, true, false)};
}

}  // namespace afterspike::glifnet
