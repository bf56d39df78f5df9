#pragma once

#include <filesystem>

namespace afterspike::spiking {

/// Appends to a finished file a line with the SHA-256 of all that is before it, which libraries for
/// what is before do not look at. Throws Error(data).
void seal(const std::filesystem::path& path);

/// Whether a file ends with such a line. Throws Error(data) where it does and another file stands
/// before it than the one that was sealed.
bool check_seal(const std::filesystem::path& path);

}  // namespace afterspike::spiking
