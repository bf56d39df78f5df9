#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "image_variation.hpp"
#include "task_options.hpp"

/// Tasks that read grey images as sequences.
namespace afterspike::tasks {

/// How an image becomes a sequence.
enum class ImageForm {
  lines,     ///< A row per step.
  pixels,    ///< A pixel per step, row by row.
  permuted,  ///< A pixel per step, in a fixed random order.
};

struct ImageTaskOptions {
  std::vector<std::string> datasets;  ///< Data sets that the task accepts.
  std::string dataset;                ///< The chosen one.
  ImageForm form = ImageForm::lines;
  std::int64_t permutation_seed = 1;
  ImageVariation variation;
  CommonTaskOptions common;
};

/// Returns the model of an image task on one of `datasets`, the first by default, with these
/// defaults: a twelfth of the training samples (5,000 of 60,000) for validation, a step of 0.05 ms.
std::unique_ptr<TaskModel> image_task(std::vector<std::string> datasets, ImageForm form);

/// Mean and standard deviation of pixels / 255 of a data set's training images, which normalise
/// inputs.
struct Normalisation {
  double mean, sd;
};
Normalisation normalisation(std::string_view dataset);

}  // namespace afterspike::tasks
