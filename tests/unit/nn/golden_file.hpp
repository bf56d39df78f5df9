#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/hdf5.hpp"
#include "support/golden.hpp"

namespace afterspike::testing {

/// Golden vectors made with the authors' own code; layout in the attributes of the file.
class GoldenFile {
 public:
  explicit GoldenFile(const std::string& name) : file_(golden_path(name)) {}

  std::vector<std::string> members(const std::string& group) const { return file_.members(group); }
  bool exists(const std::string& path) const { return file_.exists(path); }

  at::Tensor tensor(const std::string& path) const {
    const auto array = file_.read<double>(path);
    return at::tensor(array.values, at::kDouble).reshape(array.shape);
  }

  std::string text(const std::string& object, const std::string& name) const {
    return file_.text_attribute(object, name);
  }

  bool is_text(const std::string& object, const std::string& name) const {
    try {
      file_.text_attribute(object, name);
    } catch (const Error&) {
      return false;
    }
    return true;
  }

  double number(const std::string& object, const std::string& name) const {
    return file_.attribute<double>(object, name).values.at(0);
  }

  std::vector<std::int64_t> integers(const std::string& object, const std::string& name) const {
    return file_.attribute<std::int64_t>(object, name).values;
  }

 private:
  io::Hdf5File file_;
};

/// Our parameters by the names of the file.
inline const std::map<std::string, std::string>& golden_parameter_names() {
  static const std::map<std::string, std::string> names = {
      {"thresh", "layers.0.threshold"},
      {"trans_k_m", "layers.0.membrane_decay"},
      {"trans_k_j", "layers.0.after_spike_decay"},
      {"trans_r_j", "layers.0.after_spike_multiplicative"},
      {"k_m", "layers.0.membrane_decay"},
      {"k_j", "layers.0.after_spike_decay"},
      {"r_j", "layers.0.after_spike_multiplicative"},
      {"a_j", "layers.0.after_spike_additive"},
      {"weight_iv", "layers.0.input_weight"},
      {"weight_ih", "layers.0.input_weight"},
      {"weight_lat", "layers.0.recurrent_weight"},
      {"bias", "layers.0.bias"},
      {"out_weight", "readout.weight"},
      {"out_bias", "readout.bias"}};
  return names;
}

}  // namespace afterspike::testing
