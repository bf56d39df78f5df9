#pragma once

#include "afterspike/train/options.hpp"
#include "support/settings.hpp"

namespace afterspike::testing {

/// Returns the default options of training with some changed.
inline train::TrainOptions train_options(const Settings& settings) {
  train::TrainOptions options;
  apply(options, settings);
  return options;
}

}  // namespace afterspike::testing
