#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string_view>
#include <vector>

#include "afterspike/base/registry.hpp"
#include "afterspike/tasks/task.hpp"
#include "support/settings.hpp"

namespace afterspike::testing {

/// Returns the task of this name with these settings. Without a data directory only the data set
/// that ships with the project is found.
inline std::unique_ptr<tasks::Task> make_task(std::string_view name, const Settings& settings = {},
                                              const std::filesystem::path& data_directory = {}) {
  const auto model = find_entry<tasks::TaskEntry>(tasks::entries(), name, "task").make();
  apply(*model, settings);
  return model->make({data_directory});
}

/// Returns all samples of a data set as one batch.
inline tasks::Batch all(const tasks::Dataset& set) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(set.size()));
  std::iota(numbers.begin(), numbers.end(), 0);
  return set.batch(numbers);
}

}  // namespace afterspike::testing
