#pragma once

#include "afterspike/train/options.hpp"
#include "support/settings.hpp"

namespace afterspike::testing {

/// The default options of training with some set.
inline train::TrainOptions train_options(const Settings& settings) {
  train::TrainOptions options;
  apply(options, settings);
  return options;
}

}  // namespace afterspike::testing
