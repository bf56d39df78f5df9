#pragma once

#include <string_view>

#include <ATen/core/Tensor.h>

#include "afterspike/tasks/task.hpp"

namespace afterspike::train {

/// Returns the factor of each class's losses in training, [classes] in float32; undefined for
/// "none". "balanced": samples / (classes that occur * samples of the class), 1 for a class that
/// does not occur, so that the mean over the training samples is 1. Otherwise a number per class
/// with commas. Throws Error(config) naming option 'train.class_weights' if the text is neither, a
/// number is missing, negative or not finite, or the task has no classes.
at::Tensor class_weights(std::string_view text, const tasks::Task& task);

/// Throws Error(config) unless the text is "none", "balanced" or numbers.
void require_class_weights(std::string_view text);

}  // namespace afterspike::train
