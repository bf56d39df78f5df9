// Data sets whose elements are rows of variable length.

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>
#include <utility>

#include "afterspike/io/size_limit.hpp"
#include "hdf5_file.hpp"

namespace afterspike::io {
namespace {

Handle half_type() {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

/// Returns the value of a number in half precision (IEEE binary16).
double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f;
  const int fraction = bits & 0x3ff;
  // Builds the single with the same fraction and the exponent's bias 127 instead of 15.
  const auto single = [&](int biased) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(biased << 23 | fraction << 13));
  };
  double size = single(exponent + 112);
  if (exponent == 0) size = fraction * 0x1p-24;
  if (exponent == 31) size = single(255);
  return (bits & 0x8000) != 0 ? -size : size;
}

Handle stored_type(Hdf5Type type) {
  switch (type) {
    case Hdf5Type::float16:
      return half_type();
    case Hdf5Type::float32:
      return Handle(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
    case Hdf5Type::float64:
      return Handle(H5Tcopy(H5T_IEEE_F64LE), H5Tclose);
    case Hdf5Type::uint16:
      return Handle(H5Tcopy(H5T_STD_U16LE), H5Tclose);
    case Hdf5Type::int64:
      break;
  }
  return Handle(H5Tcopy(H5T_STD_I64LE), H5Tclose);
}

/// Rows allocated by HDF5, freed at the end.
class ReadRows {
 public:
  ReadRows(hid_t element, std::int64_t count)
      : type_(H5Tvlen_create(element), H5Tclose),
        space_(space_of({count})),
        rows_(static_cast<std::size_t>(count), hvl_t{0, nullptr}) {}
  ~ReadRows() {
    if (!rows_.empty()) H5Dvlen_reclaim(type_, space_, H5P_DEFAULT, rows_.data());
  }
  ReadRows(const ReadRows&) = delete;
  ReadRows& operator=(const ReadRows&) = delete;

  /// Reads the rows selected in `space`; returns whether that succeeded.
  bool read(hid_t dataset, hid_t space, hid_t transfer) {
    if (rows_.empty()) return true;
    return H5Dread(dataset, type_, space_, space, transfer, rows_.data()) >= 0;
  }

  /// Concatenates the rows; each number becomes convert(stored).
  template <typename Stored, typename T, typename Convert>
  Hdf5Rows<T> joined(const Convert& convert) const {
    Hdf5Rows<T> result;
    std::size_t total = 0;
    for (const hvl_t& row : rows_) {
      result.offsets.push_back(static_cast<std::int64_t>(total += row.len));
    }
    result.values.reserve(total);
    for (const hvl_t& row : rows_) {
      const auto* values = static_cast<const Stored*>(row.p);
      std::transform(values, values + row.len, std::back_inserter(result.values), convert);
    }
    return result;
  }

 private:
  Handle type_, space_;
  std::vector<hvl_t> rows_;
};

/// Returns the type of the numbers in the rows of a data set.
Handle element_type(hid_t dataset, const std::string& where) {
  const Handle type(H5Dget_type(dataset), H5Tclose);
  require(H5Tget_class(type) == H5T_VLEN, ErrorKind::data,
          "{}: found elements of fixed size, expected rows of variable length", where);
  return Handle(H5Tget_super(type), H5Tclose);
}

/// Integers may be stored as floating-point numbers; the other way round is refused.
template <typename T>
void check_element(hid_t element, const std::string& where) {
  constexpr bool kIntegers = std::is_integral_v<T>;
  const H5T_class_t found = H5Tget_class(element);
  require(found == H5T_FLOAT || (kIntegers && found == H5T_INTEGER), ErrorKind::data,
          "{}: found rows of another type, expected rows of {}", where,
          kIntegers ? "integers" : "floating-point numbers");
}

/// Returns rows of whole numbers that are stored as floating-point numbers.
Hdf5Rows<std::int64_t> whole_rows(const Hdf5Rows<double>& rows, const std::string& where) {
  constexpr double kTooLarge = 9007199254740992;  // 2^53
  Hdf5Rows<std::int64_t> whole{rows.offsets, {}};
  whole.values.reserve(rows.values.size());
  for (const double value : rows.values) {
    require(value == std::trunc(value) && std::abs(value) < kTooLarge, ErrorKind::data,
            "{}: found {} (element {}), expected whole numbers", where, value, whole.values.size());
    whole.values.push_back(static_cast<std::int64_t>(value));
  }
  return whole;
}

}  // namespace

template <typename T>
Hdf5Rows<T> Hdf5File::read_variable_rows(std::string_view dataset, std::int64_t begin,
                                         std::int64_t end) const {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  const Handle handle = impl_->dataset(dataset);
  const Handle element = element_type(handle, where);
  check_element<T>(element, where);
  if constexpr (std::is_integral_v<T>) {
    if (H5Tget_class(element) == H5T_FLOAT) {
      return whole_rows(read_variable_rows<double>(dataset, begin, end), where);
    }
  }
  const Handle space(H5Dget_space(handle), H5Sclose);
  const auto shape = impl_->select_rows(space, begin, end, where);
  require(shape.size() == 1, ErrorKind::data, "{}: found {} dimensions, expected 1", where,
          shape.size());
  require_plausible_size(static_cast<std::uint64_t>(end - begin) * sizeof(hvl_t),
                         impl_->stored_bytes(handle), where);
  // HDF5 converts half precision bit by bit, ten times slower than it reads.
  const bool half = std::is_same_v<T, double> && std::endian::native == std::endian::little &&
                    H5Tequal(element, half_type()) > 0;
  ReadRows rows(half ? hid_t{element} : memory_type<T>(), end - begin);
  const bool done = rows.read(handle, space, conversion_list<T>());
  require(done, ErrorKind::data, "{}: rows {} to {} cannot be read{}", where, begin, end - 1,
          words(hdf5_reason()));
  if constexpr (std::is_same_v<T, double>) {
    if (half) return rows.template joined<std::uint16_t, T>(half_value);
  }
  return rows.template joined<T, T>([](T value) { return value; });
}

template <typename T>
void Hdf5File::write_variable_rows(std::string_view dataset, const Hdf5Rows<T>& rows,
                                   Hdf5Type stored) {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  impl_->check_path(dataset);
  std::vector<hvl_t> pointers;
  for (std::size_t row = 0; row + 1 < rows.offsets.size(); ++row) {
    const auto length = static_cast<std::size_t>(rows.offsets[row + 1] - rows.offsets[row]);
    pointers.push_back({length, const_cast<T*>(rows.values.data() + rows.offsets[row])});
  }
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  const Handle in_file(H5Tvlen_create(stored_type(stored)), H5Tclose);
  const Handle in_memory(H5Tvlen_create(memory_type<T>()), H5Tclose);
  const Handle space = space_of({static_cast<std::int64_t>(pointers.size())});
  const Handle handle(H5Dcreate2(impl_->file, std::string(dataset).c_str(), in_file, space, links,
                                 creation_list(H5P_DATASET_CREATE), H5P_DEFAULT),
                      H5Dclose);
  const bool written = handle && (pointers.empty() || H5Dwrite(handle, in_memory, H5S_ALL, H5S_ALL,
                                                               H5P_DEFAULT, pointers.data()) >= 0);
  require(written, ErrorKind::data, "{} cannot be written{}", where, words(hdf5_reason()));
  impl_->flush();
}

#define AFTERSPIKE_INSTANTIATE(T)                                                                 \
  template Hdf5Rows<T> Hdf5File::read_variable_rows(std::string_view, std::int64_t, std::int64_t) \
      const;                                                                                      \
  template void Hdf5File::write_variable_rows(std::string_view, const Hdf5Rows<T>&, Hdf5Type);
AFTERSPIKE_INSTANTIATE(double)
AFTERSPIKE_INSTANTIATE(std::int64_t)
#undef AFTERSPIKE_INSTANTIATE

}  // namespace afterspike::io
