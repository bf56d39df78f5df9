#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "afterspike/base/options.hpp"

namespace afterspike::io {

/// Sets options from an experiment file. Keys are option paths: [train] epochs = 3 sets
/// "train.epochs". Throws Error(config) naming file and line for a syntax error, an unknown key
/// (with "did you mean") or a value that the option refuses; a missing file is an error too.
void read_options(const std::filesystem::path& path, const options::Description& description);

/// Returns the text at "section.key" of an experiment file, or "" if there is none. For values that
/// are needed before the options can be described. Throws Error(config) naming file and line for a
/// syntax error; a missing file is an error too.
std::string peek_text(const std::filesystem::path& path, std::string_view section,
                      std::string_view key);

/// Returns all options as an experiment file that read_options() turns into the same values; with
/// `with_help`, each line has its help as a comment.
std::string write_options(const options::Description& description, bool with_help = false);

}  // namespace afterspike::io
