#pragma once

#include <filesystem>
#include <string>

#include "afterspike/report/document.hpp"

namespace afterspike::report {

/// Returns a document as one HTML page without other files or a network: the page's policy forbids
/// it to load anything and to run any script but its own, so that no text of the document can
/// become markup or a script.
std::string page(const Document& document);

/// Writes the page atomically. Throws Error(data) naming the path.
void write_page(const std::filesystem::path& path, const Document& document);

}  // namespace afterspike::report
