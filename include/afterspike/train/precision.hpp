#pragma once

#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/train/options.hpp"

namespace afterspike::train {

/// Returns the faster precision of recurrent products for training this network on this processor:
/// one shard of training data passes forward and back in each, several times. float32 if bfloat16
/// is not available or saves less than 5 % of the time.
nn::Precision measured_precision(const nn::Network& network, const tasks::Task& task,
                                 const TrainOptions& options);

}  // namespace afterspike::train
