#include "sonata_config.hpp"

#include <algorithm>
#include <regex>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::formats {

namespace fs = std::filesystem;

bool ConfigPart::has(const char* key) const {
  return json_.is_object() && json_.contains(key);
}

ConfigPart ConfigPart::at(const char* key) const {
  require(has(key), ErrorKind::data, "{}: '{}' is missing", name(), key);
  return {file_, json_.at(key)};
}

std::vector<ConfigPart> ConfigPart::items() const {
  std::vector<ConfigPart> parts;
  for (const io::Json& item : json_) parts.push_back({file_, item});
  return parts;
}

namespace {

/// "$NAME/x" of "${NAME}/x": BMTK takes both.
std::string without_braces(const std::string& text) {
  return std::regex_replace(text, std::regex(R"(\$\{(\w+)\})"), "$$$1");
}

}  // namespace

fs::path ConfigPart::path(const char* key) const {
  std::string text = without_braces(get<std::string>(key));
  constexpr int kDeepest = 16;  // Variables may name variables.
  for (int depth = 0; depth < kDeepest && text.find('$') != std::string::npos; ++depth) {
    for (const auto& [variable, value] : file_->variables) {
      const auto at = text.find(variable);
      if (at != std::string::npos) text.replace(at, variable.size(), value);
    }
  }
  require(text.find('$') == std::string::npos, ErrorKind::data,
          "{}: '{}': found '{}', whose variables the manifest does not know", name(), key, text);
  return file_->path.parent_path() / text;
}

std::string ConfigPart::name() const {
  return fmt::format("'{}'", file_->path.string());
}

namespace {

bool longer(const std::string& one, const std::string& other) {
  return std::tuple(other.size(), one) < std::tuple(one.size(), other);
}

}  // namespace

SonataConfig::SonataConfig(const fs::path& given) {
  const auto open = [&](const fs::path& path) {
    ConfigPart::File file{path, decltype(ConfigPart::File::variables)(longer)};
    file.variables.emplace("$configdir", ".");  // BMTK's, for the folder of the file.
    const io::Json content = io::read_json(path, ErrorKind::data);
    if (content.contains("manifest")) {
      const io::Json& manifest = content.at("manifest");
      require(manifest.is_object(), ErrorKind::data, "'{}': 'manifest': expected an object",
              path.string());
      for (const auto& [name, value] : manifest.items()) {
        require(value.is_string(), ErrorKind::data, "'{}': 'manifest': '{}': expected a text",
                path.string(), name);
        file.variables[name] = without_braces(value.get<std::string>());
      }
    }
    files_.push_back({std::make_shared<const ConfigPart::File>(std::move(file)), content});
  };
  std::error_code ignored;  // A name that is too long is none of a directory.
  open(fs::is_directory(given, ignored) ? given / "config.json" : given);
  const ConfigPart first = files_.front();
  for (const char* other : {"network", "simulation"}) {
    if (first.has(other)) open(first.path(other));
  }
}

bool SonataConfig::has(const char* key) const {
  return std::any_of(files_.begin(), files_.end(),
                     [&](const ConfigPart& file) { return file.has(key); });
}

const ConfigPart& SonataConfig::part_with(const char* key) const {
  const auto found = std::find_if(files_.begin(), files_.end(),
                                  [&](const ConfigPart& file) { return file.has(key); });
  require(found != files_.end(), ErrorKind::data, "{}: '{}' is missing", files_.front().name(),
          key);
  return *found;
}

ConfigPart SonataConfig::at(const char* key) const {
  return part_with(key).at(key);
}

}  // namespace afterspike::formats
