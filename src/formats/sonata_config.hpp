#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "afterspike/io/json.hpp"

/// The configuration of a SONATA network: one file, or one that names two others.
namespace afterspike::formats {

/// An object, or list, of a configuration file, which knows where it is from.
class ConfigPart {
 public:
  bool has(const char* key) const;
  /// A member. Throws Error(data) that names the file where there is none.
  ConfigPart at(const char* key) const;
  std::vector<ConfigPart> items() const;
  const io::Json& json() const { return json_; }

  template <typename T>
  T get(const char* key) const {
    return io::member<T>(json_, key, name(), ErrorKind::data);
  }

  /// The file, or folder, that a member names, with the manifest's variables replaced.
  std::filesystem::path path(const char* key) const;

  /// The configuration file's.
  std::string name() const;

 private:
  friend class SonataConfig;
  struct File {
    std::filesystem::path path;
    /// Longest names first: one may be the beginning of another.
    std::map<std::string, std::string, std::function<bool(const std::string&, const std::string&)>>
        variables;
  };

  ConfigPart(std::shared_ptr<const File> file, io::Json json)
      : file_(std::move(file)), json_(std::move(json)) {}

  std::shared_ptr<const File> file_;
  io::Json json_;
};

class SonataConfig {
 public:
  /// A file, or a directory that holds config.json; with it the files that are its "network" and
  /// "simulation". Throws Error(data).
  explicit SonataConfig(const std::filesystem::path& given);

  bool has(const char* key) const;
  /// A member of the file, or else of those that it names. Throws Error(data) where none has it.
  ConfigPart at(const char* key) const;
  /// The file that has this member, for members that are paths. Throws Error(data) if none has it.
  const ConfigPart& part_with(const char* key) const;

 private:
  std::vector<ConfigPart> files_;
};

}  // namespace afterspike::formats
