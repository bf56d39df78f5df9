// Values that lie outside of an HDF5 file. A data file from somebody else must not choose which
// other files of the user are read (the class of CVE-2026-1669 of Keras).

#include <array>
#include <filesystem>
#include <optional>

#include "afterspike/base/log.hpp"
#include "hdf5_file.hpp"

namespace afterspike::io {
namespace {

namespace fs = std::filesystem;

/// A source of a virtual data set.
struct Source {
  std::string file, dataset;
};

std::vector<Source> sources_of(hid_t creation) {
  std::vector<Source> sources;
  size_t count = 0;
  if (H5Pget_layout(creation) != H5D_VIRTUAL || H5Pget_virtual_count(creation, &count) < 0) {
    return sources;
  }
  const auto text = [&](auto get, size_t index) {
    const ssize_t size = get(creation, index, nullptr, 0);
    std::string name(static_cast<std::size_t>(std::max<ssize_t>(size, 0)) + 1, '\0');
    get(creation, index, name.data(), name.size());
    name.pop_back();
    return name;
  };
  for (size_t i = 0; i < count; ++i) {
    sources.push_back({text(H5Pget_virtual_filename, i), text(H5Pget_virtual_dsetname, i)});
  }
  return sources;
}

/// Where HDF5 looks for a source: as named, else beside the virtual data set; nothing if it is not
/// there, when HDF5 gives fill values.
std::optional<fs::path> find_source(const std::string& name, const std::string& beside) {
  std::error_code ignored;
  for (const fs::path& path : {fs::path(name), fs::path(beside).parent_path() / name}) {
    if (fs::exists(path, ignored)) return path;
  }
  return std::nullopt;
}

}  // namespace

Handle Hdf5File::Impl::link_access() const {
  Handle access(H5Pcreate(H5P_LINK_ACCESS), H5Pclose);
  const H5L_elink_traverse_t note = [](const char*, const char*, const char* other, const char*,
                                       unsigned*, hid_t, void* data) -> herr_t {
    const auto* impl = static_cast<const Impl*>(data);
    const bool known = !impl->other_files.insert(other).second;
    if (impl->links == Links::refuse) return -1;
    if (!known) log::info("'{}': an external link leads to '{}'", impl->path, other);
    return 0;
  };
  H5Pset_elink_cb(access, note, const_cast<Impl*>(this));
  return access;
}

void Hdf5File::Impl::check_links(std::string_view object) const {
  if (links == Links::refuse && !other_files.empty()) {
    note_other_file(*other_files.begin(), object);
  }
}

void Hdf5File::Impl::note_other_file(const std::string& name, std::string_view object) const {
  require(links == Links::follow, ErrorKind::data,
          "{} lies in another file, '{}', expected it in this one. Copy the values into it, as "
          "h5repack does",
          where(object), name);
  if (other_files.insert(name).second) {
    log::info("{}: values lie in another file, '{}'", where(object), name);
  }
}

void Hdf5File::Impl::check_storage(hid_t dataset, std::string_view name) const {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  if (H5Pget_external_count(creation) > 0) {
    std::array<char, 256> other{};
    off_t offset = 0;
    hsize_t size = 0;
    H5Pget_external(creation, 0, other.size() - 1, other.data(), &offset, &size);
    fail(ErrorKind::data,
         "{}: its values are raw bytes of another file, '{}' (external storage), which is not read."
         " Copy the values into it, as h5repack does",
         where(name), other.data());
  }
  for (const Source& source : sources_of(creation)) {
    if (source.file == ".") continue;
    note_other_file(source.file, name);
    const auto other = find_source(source.file, path);
    // It may have external storage in turn.
    if (other) Hdf5File(*other).shape(source.dataset);
  }
}

std::uint64_t Hdf5File::Impl::stored_bytes(hid_t dataset) const {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  std::uint64_t bytes = H5Dget_storage_size(dataset);
  for (const Source& source : sources_of(creation)) {
    const auto other = source.file == "." ? fs::path(path) : find_source(source.file, path);
    std::error_code error;
    const std::uintmax_t size = other ? fs::file_size(*other, error) : 0;
    if (!error) bytes += size;
  }
  return bytes;
}

}  // namespace afterspike::io
