#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "afterspike/io/hdf5.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::testing {

constexpr int kClassSamples = 44, kClassSteps = 4;

inline double class_input(int sample, int step, int feature) {
  if (feature == 0) return (sample % 2 == 1 ? 1 : -1) * (0.25 + 0.125 * (sample % 7));
  return 0.25 * (step - 1) * (sample % 5 - 2);
}

/// 24 samples for training, 12 for validation, 8 for testing.
inline int class_split(int sample) {
  return sample < 24 ? 0 : sample < 36 ? 1 : 2;
}

/// Sequences of `features` inputs whose class is the sign of the first.
inline void write_class_csv(const std::filesystem::path& path, int features = 2) {
  std::ostringstream text;
  text << "sequence";
  for (int feature = 0; feature < features; ++feature) text << ",input_" << feature;
  text << ",label,split\n";
  for (int sample = 0; sample < kClassSamples; ++sample) {
    for (int step = 0; step < kClassSteps; ++step) {
      text << sample;
      for (int f = 0; f < features; ++f) text << ',' << class_input(sample, step, f);
      text << ',' << sample % 2 << ',' << class_split(sample) << '\n';
    }
  }
  spill(path, text.str());
}

/// Returns words to train six neurons on such a file, in three steps an epoch.
inline std::vector<std::string> train_on_classes(const std::string& neuron,
                                                 const std::filesystem::path& data,
                                                 const std::filesystem::path& out,
                                                 const std::vector<std::string>& more) {
  std::vector<std::string> words = {
      "train",    "--task", "file",  "--neuron",           neuron,  "--data",    data.string(),
      "--hidden", "6",      "--set", "train.batch_size=8", "--out", out.string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// The same sequences in HDF5.
inline void write_class_hdf5(const std::filesystem::path& path) {
  std::vector<double> inputs, labels, split;
  for (int sample = 0; sample < kClassSamples; ++sample) {
    labels.push_back(sample % 2);
    split.push_back(class_split(sample));
    for (int step = 0; step < kClassSteps; ++step) {
      for (int feature = 0; feature < 2; ++feature) {
        inputs.push_back(class_input(sample, step, feature));
      }
    }
  }
  io::Hdf5File file(path, io::Hdf5File::Mode::create);
  file.write<double>("/inputs", {{kClassSamples, kClassSteps, 2}, inputs});
  file.write<double>("/labels", {{kClassSamples}, labels});
  file.write<double>("/split", {{kClassSamples}, split});
}

}  // namespace afterspike::testing
