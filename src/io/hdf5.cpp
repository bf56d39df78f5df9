#include "afterspike/io/hdf5.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/size_limit.hpp"
#include "hdf5_file.hpp"

namespace afterspike::io {
namespace {

constexpr std::uint64_t kBeyondMemory = std::numeric_limits<std::uint64_t>::max();

/// Reads numbers as doubles and converts them to integers, which they must be. (HDF5's own
/// conversion from another byte order reports every number as truncated.)
template <typename T>
std::vector<T> whole_numbers(const std::vector<double>& numbers, const std::string& where) {
  constexpr auto kLowest = static_cast<double>(std::numeric_limits<T>::lowest());
  const double beyond = std::ldexp(1.0, std::numeric_limits<T>::digits);
  std::vector<T> result;
  result.reserve(numbers.size());
  for (const double number : numbers) {
    if (number >= kLowest && number < beyond && number == std::trunc(number)) {
      result.push_back(static_cast<T>(number));
      continue;
    }
    fail(ErrorKind::data, "{}: found {}{}, expected whole numbers from {} to {}", where, number,
         numbers.size() > 1 ? fmt::format(" (element {})", result.size()) : "",
         std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max());
  }
  return result;
}

/// Name of a compression that files of other programs use.
std::string filter_name(H5Z_filter_t filter) {
  constexpr std::pair<H5Z_filter_t, const char*> kKnown[] = {
      {H5Z_FILTER_SZIP, "szip"}, {32000, "lzf"},  {32001, "blosc"}, {32004, "lz4"},
      {32008, "bitshuffle"},     {32015, "zstd"}, {32026, "blosc2"}};
  for (const auto& [id, name] : kKnown) {
    if (id == filter) return name;
  }
  return fmt::format("filter {}", static_cast<int>(filter));
}

/// Refuses values that are compressed in a way that the library cannot undo.
void require_filters(hid_t creation, const std::string& where) {
  for (int at = 0; at < H5Pget_nfilters(creation); ++at) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(at), &flags, &values,
                                               nullptr, 0, nullptr, nullptr);
    require(filter < 0 || H5Zfilter_avail(filter) > 0, ErrorKind::data,
            "{} is compressed with {}, which this HDF5 library cannot read. Write it with gzip: "
            "compression=\"gzip\" in h5py, or h5repack -f GZIP=4.",
            where, filter_name(filter));
  }
}

/// Text that a call writes into a buffer of the size that it tells.
template <typename Get>
std::string text_from(const Get& get) {
  const ssize_t size = get(nullptr, 0);
  std::string text(size > 0 ? static_cast<std::size_t>(size) + 1 : 0, '\0');
  if (size > 0) get(text.data(), text.size());
  if (!text.empty()) text.pop_back();
  return text;
}

/// Refuses a virtual data set one of whose files is missing: the library reads fill values then.
void require_parts(hid_t creation, const std::string& path, const std::string& where) {
  std::size_t count = 0;
  if (H5Pget_layout(creation) != H5D_VIRTUAL || H5Pget_virtual_count(creation, &count) < 0) return;
  for (std::size_t part = 0; part < count; ++part) {
    const std::string name = text_from([&](char* text, std::size_t size) {
      return H5Pget_virtual_filename(creation, part, text, size);
    });
    // A name with "%b" stands for any number of files.
    if (name == "." || name.find('%') != std::string::npos) continue;
    const std::filesystem::path beside = std::filesystem::path(path).parent_path() / name;
    require(is_hdf5(beside) || is_hdf5(name), ErrorKind::data,
            "{} is a virtual data set, and its part '{}' is missing. Copy that file to '{}'.",
            where, name, beside.string());
  }
}

}  // namespace

bool is_hdf5(const std::filesystem::path& path) {
  const Hdf5Lock lock;
  return H5Fis_hdf5(path.c_str()) > 0;
}

bool Hdf5File::Impl::exists(std::string_view object) const {
  check_path(object);
  const Handle access = link_access();
  // HDF5 can check only whether the last part of a path exists.
  for (std::size_t end = 1; end < object.size(); ++end) {
    end = std::min(object.find('/', end), object.size());
    const std::string part(object.substr(0, end));
    const bool there = H5Lexists(file, part.c_str(), access) > 0 &&
                       H5Oexists_by_name(file, part.c_str(), access) > 0;
    check_links(part);
    if (!there) return false;
  }
  return true;
}

void Hdf5File::Impl::check_shape(const std::vector<std::int64_t>& shape, std::size_t count,
                                 const std::string& where) const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  require(product >= 0 && static_cast<std::size_t>(product) == count, ErrorKind::internal,
          "{}: {} values do not fill shape [{}]", where, count, fmt::join(shape, ", "));
}

void Hdf5File::Impl::flush() const {
  require(H5Fflush(file, H5F_SCOPE_LOCAL) >= 0, ErrorKind::data, "'{}' cannot be written{}", path,
          words(hdf5_reason()));
}

Handle Hdf5File::Impl::object(std::string_view name) const {
  require(exists(name), ErrorKind::data, "{} is missing", where(name));
  Handle handle(H5Oopen(file, std::string(name).c_str(), link_access()), H5Oclose);
  require(bool(handle), ErrorKind::data, "{} cannot be opened{}", where(name),
          words(hdf5_reason()));
  return handle;
}

Handle Hdf5File::Impl::dataset(std::string_view name) const {
  Handle handle = object(name);
  require(H5Iget_type(handle) == H5I_DATASET, ErrorKind::data, "{} is not a data set", where(name));
  check_storage(handle, name);
  return handle;
}

Handle Hdf5File::Impl::attribute(std::string_view holder, std::string_view name) const {
  const Handle owner = object(holder);
  const std::string text(name);
  require(H5Aexists(owner, text.c_str()) > 0, ErrorKind::data, "{}: attribute '{}' is missing",
          where(holder), name);
  Handle handle(H5Aopen(owner, text.c_str(), H5P_DEFAULT), H5Aclose);
  require(bool(handle), ErrorKind::data, "{}: attribute '{}' cannot be opened{}", where(holder),
          name, words(hdf5_reason()));
  return handle;
}

std::vector<std::int64_t> Hdf5File::Impl::shape(hid_t space, const std::string& where) const {
  require(H5Sget_simple_extent_type(space) != H5S_NULL, ErrorKind::data, "{} has no values", where);
  const int rank = H5Sget_simple_extent_ndims(space);
  require(rank >= 0, ErrorKind::data, "{}: its shape cannot be read{}", where,
          words(hdf5_reason()));
  std::vector<hsize_t> dimensions(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space, dimensions.data(), nullptr);
  return {dimensions.begin(), dimensions.end()};
}

std::vector<std::int64_t> Hdf5File::Impl::select_rows(hid_t space, std::int64_t begin,
                                                      std::int64_t end,
                                                      const std::string& where) const {
  auto selected = shape(space, where);
  require(!selected.empty() && 0 <= begin && begin <= end && end <= selected[0], ErrorKind::data,
          "{}: rows {} to {} are not within its shape [{}]", where, begin, end,
          fmt::join(selected, ", "));
  selected[0] = end - begin;
  const auto count = extents(selected);
  std::vector<hsize_t> start(selected.size(), 0);
  start[0] = static_cast<hsize_t>(begin);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  return selected;
}

template <typename T>
Hdf5Array<T> Hdf5File::Impl::array(std::vector<std::int64_t> shape,
                                   const std::string& where) const {
  std::uint64_t count = 1;
  for (const std::int64_t extent : shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    const bool fits =
        factor == 0 || count <= std::numeric_limits<std::int64_t>::max() / sizeof(T) / factor;
    require(fits, ErrorKind::data, "{}: shape [{}] is beyond memory", where,
            fmt::join(shape, ", "));
    count *= factor;
  }
  try {
    return {std::move(shape), std::vector<T>(static_cast<std::size_t>(count))};
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::data, "{}: {} values do not fit into memory", where, count);
  }
}

template <typename T, typename Read>
Hdf5Array<T> Hdf5File::Impl::numbers(hid_t type, std::vector<std::int64_t> shape,
                                     const std::string& where, const Read& read,
                                     const std::function<void()>& explain) const {
  const H5T_class_t kind = H5Tget_class(type);
  // h5py writes booleans as an enumeration of 0 and 1, which the library converts.
  require(kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM, ErrorKind::data,
          "{} does not hold numbers", where);
  const auto fill = [&](hid_t memory, void* values) {
    if (read(memory, values)) return;
    const std::string reason = hdf5_reason();
    if (explain) explain();
    fail(ErrorKind::data, "{} cannot be read as asked{}", where, words(reason));
  };
  if constexpr (std::is_integral_v<T>) {
    if (kind == H5T_FLOAT) {
      auto found = array<double>(std::move(shape), where);
      fill(H5T_NATIVE_DOUBLE, found.values.data());
      return {std::move(found.shape), whole_numbers<T>(found.values, where)};
    }
  }
  auto result = array<T>(std::move(shape), where);
  fill(memory_type<T>(), result.values.data());
  return result;
}

template <typename T>
Hdf5Array<T> Hdf5File::Impl::selected(hid_t dataset, hid_t space, std::vector<std::int64_t> shape,
                                      const std::string& where) const {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  require_parts(creation, path, where);
  const Handle type(H5Dget_type(dataset), H5Tclose);
  std::uint64_t bytes = sizeof(T);
  for (const std::int64_t extent : shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    if (__builtin_mul_overflow(bytes, factor, &bytes)) bytes = kBeyondMemory;
    if (factor == 0) break;
  }
  require_plausible_size(bytes, stored_bytes(dataset), where);
  const Handle memory_space = space_of(shape);
  return numbers<T>(
      type, std::move(shape), where,
      [&](hid_t memory, void* values) {
        return H5Dread(dataset, memory, memory_space, space, conversion_list<T>(), values) >= 0;
      },
      [&] { require_filters(creation, where); });
}

Hdf5File::Hdf5File(const std::filesystem::path& path, Mode mode, Links links) {
  const Hdf5Lock lock;
  const std::string name = path.string();
  if (mode == Mode::create) {
    Handle file(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, creation_list(H5P_FILE_CREATE), H5P_DEFAULT),
                H5Fclose);
    require(bool(file), ErrorKind::data, "'{}' cannot be created{}", name, words(hdf5_reason()));
    impl_ = std::make_unique<Impl>(Impl{name, std::move(file)});
    return;
  }
  std::error_code error;  // A name from a file may be too long to be looked up.
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  require(std::filesystem::exists(status), ErrorKind::data, "'{}': there is no such file", name);
  require(std::filesystem::is_regular_file(status), ErrorKind::data,
          "'{}': expected an HDF5 file, found a {}", name,
          std::filesystem::is_directory(status) ? "directory" : "device or pipe");
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // Reading also works on a file system without locks (network, read-only).
  H5Pset_file_locking(access, true, true);
  Handle file(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  require(bool(file), ErrorKind::data, "'{}' is not a readable HDF5 file{}", name,
          words(hdf5_reason()));
  impl_ = std::make_unique<Impl>(Impl{name, std::move(file), links});
}

Hdf5File::~Hdf5File() {
  const Hdf5Lock lock;
  impl_.reset();
}

Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;

Hdf5File& Hdf5File::operator=(Hdf5File&& other) noexcept {
  const Hdf5Lock lock;
  impl_ = std::move(other.impl_);
  return *this;
}

bool Hdf5File::exists(std::string_view path) const {
  const Hdf5Lock lock;
  return impl_->exists(path);
}

bool Hdf5File::is_group(std::string_view path) const {
  const Hdf5Lock lock;
  return impl_->exists(path) && H5Iget_type(impl_->object(path)) == H5I_GROUP;
}

std::vector<std::string> Hdf5File::members(std::string_view group) const {
  const Hdf5Lock lock;
  const Handle handle = impl_->object(group);
  require(H5Iget_type(handle) == H5I_GROUP, ErrorKind::data, "{} is not a group",
          impl_->where(group));
  std::vector<std::string> names;
  const H5L_iterate_t add = [](hid_t, const char* name, const H5L_info_t*, void* data) -> herr_t {
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return 0;
  };
  const herr_t status = H5Literate(handle, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add, &names);
  require(status >= 0, ErrorKind::data, "{}: its members cannot be listed{}", impl_->where(group),
          words(hdf5_reason()));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::int64_t> Hdf5File::shape(std::string_view dataset) const {
  const Hdf5Lock lock;
  const Handle space(H5Dget_space(impl_->dataset(dataset)), H5Sclose);
  return impl_->shape(space, impl_->where(dataset));
}

template <typename T>
Hdf5Array<T> Hdf5File::read(std::string_view dataset) const {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  const Handle handle = impl_->dataset(dataset);
  const Handle space(H5Dget_space(handle), H5Sclose);
  return impl_->selected<T>(handle, space, impl_->shape(space, where), where);
}

template <typename T>
Hdf5Array<T> Hdf5File::read_rows(std::string_view dataset, std::int64_t begin,
                                 std::int64_t end) const {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  const Handle handle = impl_->dataset(dataset);
  const Handle space(H5Dget_space(handle), H5Sclose);
  auto shape = impl_->select_rows(space, begin, end, where);
  return impl_->selected<T>(handle, space, std::move(shape), where);
}

bool Hdf5File::has_attribute(std::string_view object, std::string_view name) const {
  const Hdf5Lock lock;
  return H5Aexists(impl_->object(object), std::string(name).c_str()) > 0;
}

template <typename T>
Hdf5Array<T> Hdf5File::attribute(std::string_view object, std::string_view name) const {
  const Hdf5Lock lock;
  const std::string where = fmt::format("{}: attribute '{}'", impl_->where(object), name);
  const Handle handle = impl_->attribute(object, name);
  const Handle type(H5Aget_type(handle), H5Tclose);
  const Handle space(H5Aget_space(handle), H5Sclose);
  const auto read = [&](hid_t memory, void* values) {
    // Converted in a second step, because reading an attribute accepts no conversion list.
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
    if (count == 0) return true;  // HDF5 refuses to read zero elements into null.
    const std::size_t size = H5Tget_size(memory);
    std::vector<std::byte> raw(count * std::max(H5Tget_size(type), size));
    const bool done =
        H5Aread(handle, type, raw.data()) >= 0 &&
        H5Tconvert(type, memory, count, raw.data(), nullptr, conversion_list<T>()) >= 0;
    if (done) std::copy_n(raw.data(), count * size, static_cast<std::byte*>(values));
    return done;
  };
  return impl_->numbers<T>(type, impl_->shape(space, where), where, read);
}

std::string Hdf5File::text_attribute(std::string_view object, std::string_view name) const {
  const Hdf5Lock lock;
  const std::string where = fmt::format("{}: attribute '{}'", impl_->where(object), name);
  const Handle handle = impl_->attribute(object, name);
  const Handle type(H5Aget_type(handle), H5Tclose);
  const Handle space(H5Aget_space(handle), H5Sclose);
  require(H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1,
          ErrorKind::data, "{} is not a text", where);
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    require(H5Aread(handle, type, &text) >= 0, ErrorKind::data, "{} cannot be read{}", where,
            words(hdf5_reason()));
    const std::string copy = text == nullptr ? "" : text;
    H5free_memory(text);
    return copy;
  }
  std::string text(H5Tget_size(type), '\0');
  require(H5Aread(handle, type, text.data()) >= 0, ErrorKind::data, "{} cannot be read{}", where,
          words(hdf5_reason()));
  const bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  if (spaces) text.erase(text.find_last_not_of(' ') + 1);
  return spaces ? text : text.substr(0, text.find('\0'));
}

template <typename T>
void Hdf5File::write(std::string_view dataset, const Hdf5Array<T>& array, bool gzip) {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  impl_->check_path(dataset);
  impl_->check_shape(array.shape, array.values.size(), where);
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  const Handle creation = creation_list(H5P_DATASET_CREATE);
  const bool possible = !array.shape.empty() && !array.values.empty();
  if (gzip && possible) compress(creation, array.shape, sizeof(T));
  const Handle space = space_of(array.shape);
  const Handle handle(H5Dcreate2(impl_->file, std::string(dataset).c_str(), file_type<T>(), space,
                                 links, creation, H5P_DEFAULT),
                      H5Dclose);
  const bool written = handle && H5Dwrite(handle, memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                          array.values.data()) >= 0;
  require(written, ErrorKind::data, "{} cannot be written{}", where, words(hdf5_reason()));
  impl_->flush();
}

namespace {

/// An empty data set of one dimension that grows.
Handle growing(const Handle& file, std::string_view name, hid_t type) {
  constexpr hsize_t kNone = 0, kAny = H5S_UNLIMITED, kChunk = 16384;
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  const Handle creation = creation_list(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &kChunk);
  const Handle space(H5Screate_simple(1, &kNone, &kAny), H5Sclose);
  return {H5Dcreate2(file, std::string(name).c_str(), type, space, links, creation, H5P_DEFAULT),
          H5Dclose};
}

}  // namespace

template <typename T>
void Hdf5File::append(std::string_view dataset, std::span<const T> values) {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  impl_->check_path(dataset);
  const Handle data =
      impl_->exists(dataset)
          ? Handle(H5Dopen2(impl_->file, std::string(dataset).c_str(), H5P_DEFAULT), H5Dclose)
          : growing(impl_->file, dataset, file_type<T>());
  hsize_t first = 0;
  bool written = bool(data);
  if (written) {
    const Handle before(H5Dget_space(data), H5Sclose);
    H5Sget_simple_extent_dims(before, &first, nullptr);
  }
  const hsize_t count = values.size(), whole = first + count;
  written = written && H5Dset_extent(data, &whole) >= 0;
  if (written && count > 0) {
    const Handle place(H5Dget_space(data), H5Sclose),
        memory(H5Screate_simple(1, &count, nullptr), H5Sclose);
    written = H5Sselect_hyperslab(place, H5S_SELECT_SET, &first, nullptr, &count, nullptr) >= 0 &&
              H5Dwrite(data, memory_type<T>(), memory, place, H5P_DEFAULT, values.data()) >= 0;
  }
  require(written, ErrorKind::data, "{} cannot be written{}", where, words(hdf5_reason()));
  impl_->flush();
}

template <typename T>
void Hdf5File::write_attribute(std::string_view object, std::string_view name,
                               const Hdf5Array<T>& array) {
  const Hdf5Lock lock;
  const std::string where = fmt::format("{}: attribute '{}'", impl_->where(object), name);
  impl_->check_shape(array.shape, array.values.size(), where);
  const Handle handle(H5Acreate2(impl_->object(object), std::string(name).c_str(), file_type<T>(),
                                 space_of(array.shape), H5P_DEFAULT, H5P_DEFAULT),
                      H5Aclose);
  const bool written = handle && H5Awrite(handle, memory_type<T>(), array.values.data()) >= 0;
  require(written, ErrorKind::data, "{} cannot be written{}", where, words(hdf5_reason()));
  impl_->flush();
}

void Hdf5File::write_text_attribute(std::string_view object, std::string_view name,
                                    std::string_view text) {
  const Hdf5Lock lock;
  const std::string where = fmt::format("{}: attribute '{}'", impl_->where(object), name);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  // An attribute of fixed length holds at most 64 KiB.
  constexpr std::size_t kLong = 60'000;
  const bool is_long = text.size() > kLong;
  // One more byte, since HDF5 has no text of zero bytes.
  H5Tset_size(type, is_long ? H5T_VARIABLE : text.size() + 1);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const Handle handle(H5Acreate2(impl_->object(object), std::string(name).c_str(), type,
                                 space_of({}), H5P_DEFAULT, H5P_DEFAULT),
                      H5Aclose);
  const std::string ended(text);
  const char* const begin = ended.c_str();
  const void* const value = is_long ? static_cast<const void*>(&begin) : begin;
  const bool written = handle && H5Awrite(handle, type, value) >= 0;
  require(written, ErrorKind::data, "{} cannot be written{}", where, words(hdf5_reason()));
  impl_->flush();
}

#define AFTERSPIKE_INSTANTIATE(T)                                                                \
  template Hdf5Array<T> Hdf5File::read(std::string_view) const;                                  \
  template Hdf5Array<T> Hdf5File::read_rows(std::string_view, std::int64_t, std::int64_t) const; \
  template Hdf5Array<T> Hdf5File::attribute(std::string_view, std::string_view) const;           \
  template void Hdf5File::write(std::string_view, const Hdf5Array<T>&, bool);                    \
  template void Hdf5File::append(std::string_view, std::span<const T>);                          \
  template void Hdf5File::write_attribute(std::string_view, std::string_view, const Hdf5Array<T>&);
AFTERSPIKE_INSTANTIATE(float)
AFTERSPIKE_INSTANTIATE(double)
AFTERSPIKE_INSTANTIATE(std::int64_t)
AFTERSPIKE_INSTANTIATE(std::uint8_t)
AFTERSPIKE_INSTANTIATE(std::uint32_t)
AFTERSPIKE_INSTANTIATE(std::uint64_t)
#undef AFTERSPIKE_INSTANTIATE

}  // namespace afterspike::io
