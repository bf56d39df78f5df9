#include "afterspike/datasets/datasets.hpp"

namespace afterspike::datasets {

#define AFTERSPIKE_REGISTER(name) DatasetEntry entry_##name();
#include "datasets.inc"
#undef AFTERSPIKE_REGISTER

std::span<const DatasetEntry> entries() {
#define AFTERSPIKE_REGISTER(name) entry_##name(),
  static const DatasetEntry kEntries[] = {
#include "datasets.inc"
  };
#undef AFTERSPIKE_REGISTER
  return kEntries;
}

}  // namespace afterspike::datasets
