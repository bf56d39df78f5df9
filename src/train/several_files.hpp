#pragma once

#include <filesystem>

#include "afterspike/train/run.hpp"

namespace afterspike::train {

/// Files that name the runs in a directory of several.
inline constexpr const char* kSeedsFile = "seeds.json";
inline constexpr const char* kSpeakersFile = "speakers.json";

/// Writes seeds.json or speakers.json; neither for a single run.
void write_several(const std::filesystem::path& directory, const Several& several);

}  // namespace afterspike::train
