#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "afterspike/spiking/models_page.hpp"

namespace afterspike::spiking {
namespace {

/// AFTERSPIKE_UPDATE_DOCS=1 writes the page instead.
TEST(ModelsPage, IsUpToDate) {
  const auto path = std::filesystem::path(AFTERSPIKE_TEST_SOURCE_DIR) / "docs" / "models.md";
  if (std::getenv("AFTERSPIKE_UPDATE_DOCS") != nullptr) std::ofstream(path) << models_page();
  std::ostringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_TRUE(found.str() == models_page())
      << path << " is out of date: run this test with AFTERSPIKE_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace afterspike::spiking
