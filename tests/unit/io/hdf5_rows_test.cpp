#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <hdf5.h>

#include <gtest/gtest.h>

#include "afterspike/io/hdf5.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

using testing::expect_error;
using testing::TempDir;

class Hdf5VariableRows : public ::testing::Test {
 protected:
  template <typename T>
  Hdf5Rows<T> stored_as(Hdf5Type type, const Hdf5Rows<T>& rows) const {
    Hdf5File(path_, Hdf5File::Mode::create).write_variable_rows("/a/rows", rows, type);
    return Hdf5File(path_).read_variable_rows<T>(
        "/a/rows", 0, static_cast<std::int64_t>(rows.offsets.size()) - 1);
  }

  TempDir folder_;
  std::filesystem::path path_ = folder_ / "a.h5";
};

TEST_F(Hdf5VariableRows, ComeBackInAnyPrecisionThatHoldsThem) {
  const Hdf5Rows<double> numbers = {{0, 2, 2, 5}, {0, 0.25, 1.0 / 1024, -3, 0x1p-20}};
  for (const Hdf5Type type : {Hdf5Type::float16, Hdf5Type::float32, Hdf5Type::float64}) {
    const auto found = stored_as(type, numbers);
    EXPECT_EQ(found.offsets, numbers.offsets);
    EXPECT_EQ(found.values, numbers.values);
  }
  const Hdf5Rows<std::int64_t> integers = {{0, 1, 4}, {65535, 0, 7, 699}};
  for (const Hdf5Type type : {Hdf5Type::uint16, Hdf5Type::int64}) {
    const auto found = stored_as(type, integers);
    EXPECT_EQ(found.offsets, integers.offsets);
    EXPECT_EQ(found.values, integers.values);
  }
}

/// All 65,536 numbers of half precision, against HDF5's own conversion.
TEST_F(Hdf5VariableRows, EveryHalfIsReadAsHdf5ConvertsIt) {
  std::vector<std::uint16_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  const hid_t rows = H5Tvlen_create(half);
  const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t one = 1;
  const hid_t space = H5Screate_simple(1, &one, nullptr);
  const hid_t set = H5Dcreate2(file, "rows", rows, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hvl_t row = {bits.size(), bits.data()};
  ASSERT_GE(H5Dwrite(set, rows, H5S_ALL, H5S_ALL, H5P_DEFAULT, &row), 0);
  H5Dclose(set);
  H5Sclose(space);
  H5Fclose(file);
  std::vector<double> expected(bits.size());
  std::copy(bits.begin(), bits.end(), reinterpret_cast<std::uint16_t*>(expected.data()));
  ASSERT_GE(H5Tconvert(half, H5T_NATIVE_DOUBLE, bits.size(), expected.data(), nullptr, H5P_DEFAULT),
            0);
  H5Tclose(rows);
  H5Tclose(half);

  const auto found = Hdf5File(path_).read_variable_rows<double>("/rows", 0, 1).values;
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(found[i])) << i;
    } else {
      EXPECT_EQ(found[i], expected[i]) << i;
      EXPECT_EQ(std::signbit(found[i]), std::signbit(expected[i])) << i;
    }
  }
}

TEST_F(Hdf5VariableRows, AreReadInSlices) {
  const Hdf5Rows<std::int64_t> rows = {{0, 1, 3, 3, 6}, {1, 2, 3, 4, 5, 6}};
  Hdf5File(path_, Hdf5File::Mode::create).write_variable_rows("/rows", rows, Hdf5Type::uint16);
  const Hdf5File file(path_);
  EXPECT_EQ(file.shape("/rows"), std::vector<std::int64_t>{4});
  const auto middle = file.read_variable_rows<std::int64_t>("/rows", 1, 3);
  EXPECT_EQ(middle.offsets, (std::vector<std::int64_t>{0, 2, 2}));
  EXPECT_EQ(middle.values, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(file.read_variable_rows<std::int64_t>("/rows", 2, 2).values.empty());
}

TEST_F(Hdf5VariableRows, OfAnotherKindAreRefused) {
  {
    Hdf5File file(path_, Hdf5File::Mode::create);
    file.write_variable_rows<double>("/numbers", {{0, 1}, {0.5}}, Hdf5Type::float16);
    file.write_variable_rows<std::int64_t>("/integers", {{0, 1}, {5}}, Hdf5Type::uint16);
    file.write<double>("/plain", {{2}, {1, 2}});
  }
  const Hdf5File file(path_);
  const auto kind = ErrorKind::data;
  expect_error(kind, {path_.string(), "'/numbers'", "found 0.5", "expected whole numbers"},
               [&] { file.read_variable_rows<std::int64_t>("/numbers", 0, 1); });
  expect_error(kind, {"'/integers'", "expected rows of floating-point numbers"},
               [&] { file.read_variable_rows<double>("/integers", 0, 1); });
  expect_error(kind, {"'/plain'", "elements of fixed size", "rows of variable length"},
               [&] { file.read_variable_rows<double>("/plain", 0, 1); });
  expect_error(kind, {"'/numbers'", "rows 0 to 2 are not within its shape [1]"},
               [&] { file.read_variable_rows<double>("/numbers", 0, 2); });
  expect_error(kind, {"'/none' is missing"},
               [&] { file.read_variable_rows<double>("/none", 0, 1); });
}

TEST_F(Hdf5VariableRows, WholeNumbersMayBeStoredAsFloats) {
  {
    Hdf5File file(path_, Hdf5File::Mode::create);
    file.write_variable_rows<double>("/units", {{0, 2, 2, 3}, {7, 0, 699}}, Hdf5Type::float32);
  }
  const auto rows = Hdf5File(path_).read_variable_rows<std::int64_t>("/units", 0, 3);
  EXPECT_EQ(rows.offsets, (std::vector<std::int64_t>{0, 2, 2, 3}));
  EXPECT_EQ(rows.values, (std::vector<std::int64_t>{7, 0, 699}));
}

}  // namespace
}  // namespace afterspike::io
