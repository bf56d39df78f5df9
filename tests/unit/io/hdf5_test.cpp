#include "afterspike/io/hdf5.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <hdf5.h>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

using testing::expect_error;
using testing::spill;
using testing::TempDir;

class Hdf5 : public ::testing::Test {
 protected:
  Hdf5File create() const { return Hdf5File(path_, Hdf5File::Mode::create); }

  /// Lets `fill` write a file with the C interface, like another program.
  template <typename Fill>
  Hdf5File made_elsewhere(Fill&& fill, Hdf5File::Links links = Hdf5File::Links::refuse) const {
    const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    fill(file);
    EXPECT_GE(H5Fclose(file), 0);
    return Hdf5File(path_, Hdf5File::Mode::read, links);
  }

  TempDir folder_;
  std::filesystem::path path_ = folder_ / "a.h5";
};

void put_data(hid_t file, const char* name, hid_t stored, hid_t given,
              const std::vector<hsize_t>& shape, const void* values) {
  const hid_t space = shape.empty()
                          ? H5Screate(H5S_SCALAR)
                          : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_GE(H5Dwrite(set, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  H5Dclose(set);
  H5Sclose(space);
}

void put_text(hid_t object, const char* name, std::size_t size, H5T_str_t padding,
              const void* value) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_strpad(type, padding);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_GE(H5Awrite(attribute, type, value), 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

template <typename T>
class Hdf5Types : public Hdf5 {};

using Types = ::testing::Types<float, double, std::int64_t, std::uint8_t>;
TYPED_TEST_SUITE(Hdf5Types, Types);

TYPED_TEST(Hdf5Types, ArraysComeBackInEveryShape) {
  Hdf5Array<TypeParam> large{{700, 30, 2}, std::vector<TypeParam>(42000)};
  for (std::size_t i = 0; i < large.values.size(); ++i) {
    large.values[i] = static_cast<TypeParam>(i % 256);
  }
  const std::vector<Hdf5Array<TypeParam>> arrays = {
      {{2, 3}, {1, 2, 3, 4, 5, 6}},
      {{}, {7}},
      {{0}, {}},
      {{3, 0, 2}, {}},
      {{1}, {std::numeric_limits<TypeParam>::max()}},
      {{1}, {std::numeric_limits<TypeParam>::lowest()}},
      large};
  for (const bool gzip : {false, true}) {
    {
      Hdf5File file = this->create();
      for (std::size_t i = 0; i < arrays.size(); ++i) {
        file.write("/deep/group/" + std::to_string(i), arrays[i], gzip);
      }
    }
    const Hdf5File file(this->path_);
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const std::string name = "/deep/group/" + std::to_string(i);
      EXPECT_EQ(file.shape(name), arrays[i].shape);
      const auto again = file.read<TypeParam>(name);
      EXPECT_EQ(again.shape, arrays[i].shape);
      EXPECT_EQ(again.values, arrays[i].values);
    }
  }
}

TYPED_TEST(Hdf5Types, AttributesComeBack) {
  {
    Hdf5File file = this->create();
    file.write("/group/set", Hdf5Array<TypeParam>{{1}, {1}});
    file.write_attribute("/group/set", "array", Hdf5Array<TypeParam>{{3}, {1, 2, 3}});
    file.write_attribute("/group", "scalar", Hdf5Array<TypeParam>{{}, {9}});
    file.write_attribute("/", "root", Hdf5Array<TypeParam>{{1, 2}, {4, 5}});
  }
  const Hdf5File file(this->path_);
  EXPECT_EQ(file.attribute<TypeParam>("/group/set", "array").values,
            (std::vector<TypeParam>{1, 2, 3}));
  EXPECT_TRUE(file.attribute<TypeParam>("/group", "scalar").shape.empty());
  EXPECT_EQ(file.attribute<TypeParam>("/group", "scalar").values, std::vector<TypeParam>{9});
  EXPECT_EQ(file.attribute<TypeParam>("/", "root").shape, (std::vector<std::int64_t>{1, 2}));
}

TYPED_TEST(Hdf5Types, NumbersOfOtherWritersAreConverted) {
  const std::int16_t shorts[] = {0, 1, 2, 100, 127, 255};
  const double doubles[] = {0, 1, 2, 100, 127, 255};
  const Hdf5File file = this->made_elsewhere([&](hid_t id) {
    put_data(id, "short", H5T_STD_I16BE, H5T_NATIVE_SHORT, {2, 3}, shorts);
    put_data(id, "double", H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, {6}, doubles);
    put_data(id, "float", H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, {6}, doubles);
    put_data(id, "unsigned", H5T_STD_U32LE, H5T_NATIVE_DOUBLE, {6}, doubles);
    const hsize_t six = 6;
    const hid_t space = H5Screate_simple(1, &six, nullptr);
    const hid_t attribute =
        H5Acreate2(id, "attribute", H5T_STD_I16BE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_SHORT, shorts);
    H5Aclose(attribute);
    H5Sclose(space);
  });
  const std::vector<TypeParam> expected = {0, 1, 2, 100, 127, 255};
  for (const char* name : {"/short", "/double", "/float", "/unsigned"}) {
    EXPECT_EQ(file.read<TypeParam>(name).values, expected) << name;
  }
  EXPECT_EQ(file.attribute<TypeParam>("/", "attribute").values, expected);
}

TEST_F(Hdf5, OtherProgramsReadWhatIsWritten) {
  {
    Hdf5File file = create();
    file.write("/group/set", Hdf5Array<double>{{2, 2}, {0.1, -2, 3, 1e300}}, true);
    file.write_text_attribute("/group/set", "unit", "µV");
  }
  const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "/group/set", H5P_DEFAULT);
  double values[4] = {};
  EXPECT_GE(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  EXPECT_EQ(std::vector<double>(values, values + 4), (std::vector<double>{0.1, -2, 3, 1e300}));
  const hid_t type = H5Dget_type(set);
  EXPECT_GT(H5Tequal(type, H5T_IEEE_F64LE), 0);
  const hid_t list = H5Dget_create_plist(set);
  EXPECT_EQ(H5Pget_layout(list), H5D_CHUNKED);
  const hid_t attribute = H5Aopen(set, "unit", H5P_DEFAULT);
  const hid_t text_type = H5Aget_type(attribute);
  std::string text(H5Tget_size(text_type), '\0');
  EXPECT_GE(H5Aread(attribute, text_type, text.data()), 0);
  EXPECT_STREQ(text.c_str(), "µV");
  for (const hid_t id : {text_type, attribute, list, type, set, file}) H5Idec_ref(id);
}

TEST_F(Hdf5, GzipMakesTheFileSmaller) {
  const Hdf5Array<double> zeros{{1000, 100}, std::vector<double>(100000)};
  create().write("/zeros", zeros, false);
  const auto plain = std::filesystem::file_size(path_);
  create().write("/zeros", zeros, true);
  EXPECT_LT(std::filesystem::file_size(path_), plain / 10);
}

TEST_F(Hdf5, RowsAreThoseOfTheWhole) {
  Hdf5Array<std::int64_t> array{{7, 3, 2}, std::vector<std::int64_t>(42)};
  std::iota(array.values.begin(), array.values.end(), 0);
  Hdf5File file = create();
  file.write("/a", array, true);
  for (std::int64_t begin = 0; begin <= 7; ++begin) {
    for (std::int64_t end = begin; end <= 7; ++end) {
      const auto rows = file.read_rows<std::int64_t>("/a", begin, end);
      EXPECT_EQ(rows.shape, (std::vector<std::int64_t>{end - begin, 3, 2}));
      EXPECT_EQ(rows.values, std::vector<std::int64_t>(array.values.begin() + begin * 6,
                                                       array.values.begin() + end * 6));
    }
  }
  for (const auto& [begin, end] : {std::pair{-1, 2}, {2, 1}, {0, 8}, {8, 8}}) {
    expect_error(
        ErrorKind::data, {path_.string(), "'/a'", "not within its shape [7, 3, 2]"},
        [&, &first = begin, &last = end] { file.read_rows<std::int64_t>("/a", first, last); });
  }
  file.write("/scalar", Hdf5Array<double>{{}, {1}});
  expect_error(ErrorKind::data, {"not within its shape []"},
               [&] { file.read_rows<double>("/scalar", 0, 1); });
}

TEST_F(Hdf5, GroupsAndMembersAreToldApart) {
  Hdf5File file = create();
  for (const char* name : {"/b/z", "/b/a", "/b/m/inner", "/a"}) {
    file.write(name, Hdf5Array<double>{{1}, {1}});
  }
  EXPECT_EQ(file.members("/"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(file.members("/b"), (std::vector<std::string>{"a", "m", "z"}));
  for (const char* name : {"/", "/a", "/b", "/b/m", "/b/m/inner"}) {
    EXPECT_TRUE(file.exists(name)) << name;
  }
  for (const char* name : {"/c", "/b/c", "/c/d/e", "/a/b", "/b/m/inner/x"}) {
    EXPECT_FALSE(file.exists(name)) << name;
    EXPECT_FALSE(file.is_group(name)) << name;
  }
  EXPECT_TRUE(file.is_group("/"));
  EXPECT_TRUE(file.is_group("/b/m"));
  EXPECT_FALSE(file.is_group("/a"));
  expect_error(ErrorKind::data, {"'/a' is not a group"}, [&] { file.members("/a"); });
  expect_error(ErrorKind::data, {"'/c' is missing"}, [&] { file.members("/c"); });
  expect_error(ErrorKind::internal, {"'a': expected an absolute path"}, [&] { file.exists("a"); });
}

TEST_F(Hdf5, TextsOfEveryKindAreRead) {
  const char* variable = "of any length";
  const Hdf5File file = made_elsewhere([&](hid_t id) {
    put_text(id, "variable", H5T_VARIABLE, H5T_STR_NULLTERM, &variable);
    put_text(id, "terminated", 8, H5T_STR_NULLTERM, "abc\0xyz");
    put_text(id, "padded", 5, H5T_STR_NULLPAD, "abcde");
    put_text(id, "spaces", 6, H5T_STR_SPACEPAD, "a b   ");
    put_text(id, "only spaces", 2, H5T_STR_SPACEPAD, "  ");
  });
  EXPECT_EQ(file.text_attribute("/", "variable"), "of any length");
  EXPECT_EQ(file.text_attribute("/", "terminated"), "abc");
  EXPECT_EQ(file.text_attribute("/", "padded"), "abcde");
  EXPECT_EQ(file.text_attribute("/", "spaces"), "a b");
  EXPECT_EQ(file.text_attribute("/", "only spaces"), "");
}

TEST_F(Hdf5, TextsComeBack) {
  Hdf5File file = create();
  for (const std::string text : {"", "x", "µV and more", "line\nbreak"}) {
    file.write_text_attribute("/", "t" + text, text);
    EXPECT_EQ(file.text_attribute("/", "t" + text), text);
    EXPECT_TRUE(file.has_attribute("/", "t" + text));
  }
  EXPECT_FALSE(file.has_attribute("/", "absent"));
}

TEST_F(Hdf5, WhatIsMissingOrOfAnotherKindIsNamed) {
  const char* text = "text";
  const Hdf5File file = made_elsewhere([&](hid_t id) {
    const double number = 1;
    put_data(id, "number", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &number);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    put_data(id, "text", type, type, {}, &text);
    H5Tclose(type);
    put_text(id, "words", 3, H5T_STR_NULLPAD, "abc");
    H5Lcreate_soft("/nowhere", id, "link", H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate(H5S_NULL);
    H5Dclose(H5Dcreate2(id, "null", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
  });
  const std::string name = path_.string();
  expect_error(ErrorKind::data, {name, "'/absent' is missing"},
               [&] { file.read<double>("/absent"); });
  EXPECT_FALSE(file.exists("/link"));
  expect_error(ErrorKind::data, {name, "'/link' is missing"}, [&] { file.read<double>("/link"); });
  expect_error(ErrorKind::data, {name, "'/' is not a data set"}, [&] { file.shape("/"); });
  expect_error(ErrorKind::data, {name, "'/text' does not hold numbers"},
               [&] { file.read<double>("/text"); });
  expect_error(ErrorKind::data, {name, "'/null' has no values"},
               [&] { file.read<double>("/null"); });
  expect_error(ErrorKind::data, {name, "'/': attribute 'words' does not hold numbers"},
               [&] { file.attribute<double>("/", "words"); });
  expect_error(ErrorKind::data, {name, "'/': attribute 'absent' is missing"},
               [&] { file.attribute<double>("/", "absent"); });
  expect_error(ErrorKind::data, {name, "'/absent' is missing"},
               [&] { file.text_attribute("/absent", "x"); });
}

TEST_F(Hdf5, NumbersThatDoNotFitAreRefusedRatherThanClipped) {
  const std::vector<double> values = {1, 300, -1, 1.5, 1e30, std::nan(""), INFINITY};
  const Hdf5File file = made_elsewhere([&](hid_t id) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      put_data(id, ("v" + std::to_string(i)).c_str(), H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {1},
               &values[i]);
    }
    const std::int64_t big = 300;
    put_data(id, "big", H5T_STD_I64LE, H5T_NATIVE_INT64, {1}, &big);
  });
  EXPECT_EQ(file.read<std::int64_t>("/v1").values[0], 300);
  EXPECT_EQ(file.read<std::int64_t>("/v2").values[0], -1);
  const std::string names[] = {"/v1", "/v2", "/v3", "/v4", "/v5", "/v6"};
  for (const std::string& name : names) {
    expect_error(ErrorKind::data, {name, "expected whole numbers from 0 to 255"},
                 [&] { file.read<std::uint8_t>(name); });
  }
  for (const std::string& name : std::span(names).subspan(2)) {
    expect_error(ErrorKind::data, {name, "expected whole numbers from -9223372036854775808 to"},
                 [&] { file.read<std::int64_t>(name); });
  }
  expect_error(ErrorKind::data, {"/big", "cannot be read as asked"},
               [&] { file.read<std::uint8_t>("/big"); });
  EXPECT_TRUE(std::isnan(file.read<float>("/v5").values[0]));
  EXPECT_EQ(file.read<float>("/v6").values[0], INFINITY);
}

TEST_F(Hdf5, AttributesThatDoNotFitAreRefused) {
  Hdf5File file = create();
  file.write_attribute("/", "half", Hdf5Array<double>{{}, {0.5}});
  file.write_attribute("/", "big", Hdf5Array<std::int64_t>{{}, {256}});
  expect_error(ErrorKind::data, {"attribute 'half': found 0.5"},
               [&] { file.attribute<std::int64_t>("/", "half"); });
  expect_error(ErrorKind::data, {"attribute 'big' cannot be read as asked"},
               [&] { file.attribute<std::uint8_t>("/", "big"); });
}

TEST_F(Hdf5, FilesThatCannotBeOpenedAreNamed) {
  expect_error(ErrorKind::data, {path_.string(), "there is no such file"},
               [&] { Hdf5File file(path_); });
  expect_error(ErrorKind::data, {folder_.path().string(), "found a directory"},
               [&] { Hdf5File file(folder_.path()); });
  spill(path_, "not HDF5 at all");
  expect_error(ErrorKind::data, {path_.string(), "is not a readable HDF5 file"},
               [&] { Hdf5File file(path_); });
  expect_error(ErrorKind::data, {"no/a.h5", "cannot be created"},
               [&] { Hdf5File file(folder_ / "no/a.h5", Hdf5File::Mode::create); });
}

TEST_F(Hdf5, ATruncatedFileIsAnError) {
  create().write("/a", Hdf5Array<double>{{10000}, std::vector<double>(10000, 1)});
  const std::string whole = testing::slurp(path_);
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{100}}) {
    spill(path_, std::string_view(whole).substr(0, size));
    expect_error(ErrorKind::data, {path_.string()}, [&] { Hdf5File(path_).read<double>("/a"); });
  }
}

TEST_F(Hdf5, WhatCannotBeWrittenIsNamed) {
  {
    Hdf5File file = create();
    file.write("/a", Hdf5Array<double>{{1}, {1}});
    expect_error(ErrorKind::data, {"'/a' cannot be written"}, [&] {
      file.write("/a", Hdf5Array<double>{{1}, {1}});
    });
    expect_error(ErrorKind::data, {"'/a/b' cannot be written"}, [&] {
      file.write("/a/b", Hdf5Array<double>{{1}, {1}});
    });
    expect_error(ErrorKind::internal, {"'/b': 3 values do not fill shape [2]"}, [&] {
      file.write("/b", Hdf5Array<double>{{2}, {1, 2, 3}});
    });
    expect_error(ErrorKind::internal, {"'b': expected an absolute path"}, [&] {
      file.write("b", Hdf5Array<double>{{1}, {1}});
    });
    expect_error(ErrorKind::data, {"'/absent' is missing"},
                 [&] { file.write_text_attribute("/absent", "x", "y"); });
  }
  Hdf5File file(path_);
  expect_error(ErrorKind::data, {"'/c' cannot be written"}, [&] {
    file.write("/c", Hdf5Array<double>{{1}, {1}});
  });
}

TEST_F(Hdf5, ErrorsPrintNothingAndLeaveThePrinterAsItWas) {
  H5E_auto2_t before = nullptr, after = nullptr;
  void* data = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &before, &data);
  ::testing::internal::CaptureStderr();
  spill(path_, "not HDF5 at all");
  EXPECT_THROW(Hdf5File{path_}, Error);
  EXPECT_FALSE(create().exists("/a/b/c"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  H5Eget_auto2(H5E_DEFAULT, &after, &data);
  EXPECT_EQ(before, after);
}

TEST_F(Hdf5, ObjectsOfSeveralThreadsDoNotDisturbEachOther) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      const auto path = folder_ / (std::to_string(thread) + ".h5");
      for (int i = 0; i < 20; ++i) {
        Hdf5File(path, Hdf5File::Mode::create)
            .write("/a", Hdf5Array<std::int64_t>{{2}, {thread, i}}, true);
        EXPECT_EQ(Hdf5File(path).read<std::int64_t>("/a").values,
                  (std::vector<std::int64_t>{thread, i}));
      }
    });
  }
}

TEST_F(Hdf5, AFileBehindAUserBlockIsOne) {
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_userblock(creation, 1024);
  const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
  const double value = 7;
  put_data(file, "a", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {1}, &value);
  H5Fclose(file);
  H5Pclose(creation);
  EXPECT_TRUE(is_hdf5(path_));
  EXPECT_EQ(Hdf5File(path_).read<double>("/a").values, std::vector<double>{7});
  spill(folder_ / "text.csv", "a,b\n1,2\n");
  EXPECT_FALSE(is_hdf5(folder_ / "text.csv"));
  EXPECT_FALSE(is_hdf5(folder_ / "absent"));
}

TEST_F(Hdf5, AMissingFilterIsNamed) {
  const Hdf5File file = made_elsewhere([](hid_t made) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 4;
    H5Pset_chunk(creation, 1, &chunk);
    constexpr H5Z_filter_t kLzf = 32000;
    H5Pset_filter(creation, kLzf, H5Z_FLAG_OPTIONAL, 0, nullptr);
    const hid_t space = H5Screate_simple(1, &chunk, nullptr);
    const hid_t set =
        H5Dcreate2(made, "inputs", H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    // A chunk that the filter has compressed, as h5py writes it.
    const std::vector<char> bytes(9, 'x');
    const hsize_t offset = 0;
    EXPECT_GE(H5Dwrite_chunk(set, H5P_DEFAULT, 0, &offset, bytes.size(), bytes.data()), 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(creation);
  });
  expect_error(ErrorKind::data, {"'/inputs' is compressed with lzf", "h5repack -f GZIP=4"},
               [&] { file.read<double>("/inputs"); });
}

TEST_F(Hdf5, AMissingPartOfAVirtualDataSetIsNamed) {
  const hsize_t size = 3;
  {
    Hdf5File part(folder_ / "part.h5", Hdf5File::Mode::create);
    part.write("/x", Hdf5Array<double>{{3}, {1, 2, 3}});
  }
  const Hdf5File file = made_elsewhere(
      [&](hid_t made) {
        const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
        const hid_t space = H5Screate_simple(1, &size, nullptr);
        H5Pset_virtual(creation, space, "part.h5", "/x", space);
        H5Dclose(H5Dcreate2(made, "v", H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
        H5Sclose(space);
        H5Pclose(creation);
      },
      Hdf5File::Links::follow);
  EXPECT_EQ(file.read<double>("/v").values, (std::vector<double>{1, 2, 3}));
  std::filesystem::remove(folder_ / "part.h5");
  expect_error(ErrorKind::data, {"'/v' is a virtual data set", "part 'part.h5' is missing"},
               [&] { file.read<double>("/v"); });
}

TEST_F(Hdf5, AFileMoves) {
  Hdf5File first = create();
  first.write("/a", Hdf5Array<double>{{1}, {1}});
  Hdf5File second = std::move(first);
  second.write("/b", Hdf5Array<double>{{1}, {2}});
  Hdf5File third(folder_ / "other.h5", Hdf5File::Mode::create);
  third = std::move(second);
  EXPECT_EQ(third.members("/"), (std::vector<std::string>{"a", "b"}));
}

/// External storage: `name` is `count` floats of another file.
void put_external(hid_t file, const char* name, const std::string& other, hsize_t count) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  EXPECT_GE(H5Pset_external(creation, other.c_str(), 0, count * sizeof(float)), 0);
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  H5Dclose(H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Sclose(space);
  H5Pclose(creation);
}

/// A data file does not choose which other files of the user are read.
TEST_F(Hdf5, ValuesInTheBytesOfAnotherFileAreRefused) {
  spill(folder_ / "secret", "password");
  const auto file = made_elsewhere([&](hid_t made) {
    put_external(made, "inputs", (folder_ / "secret").string(), 2);
    const float own = 1;
    put_data(made, "own", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {1}, &own);
  });
  expect_error(ErrorKind::data, {"a.h5", "/inputs", "secret", "external storage", "h5repack"},
               [&] { file.read<float>("/inputs"); });
  expect_error(ErrorKind::data, {"secret"}, [&] { file.shape("/inputs"); });
  EXPECT_EQ(file.read<float>("/own").values, std::vector<float>{1});
  const Hdf5File followed(path_, Hdf5File::Mode::read, Hdf5File::Links::follow);
  expect_error(ErrorKind::data, {"secret"}, [&] { followed.read_rows<float>("/inputs", 0, 1); });
}

TEST_F(Hdf5, LinksToOtherFilesAreFollowedOnlyWhereAllowed) {
  const std::string other = (folder_ / "other.h5").string();
  Hdf5File(other, Hdf5File::Mode::create).write<float>("/deep/x", {{2}, {3, 4}});
  made_elsewhere([&](hid_t made) {
    EXPECT_GE(H5Lcreate_external(other.c_str(), "/deep", made, "away", H5P_DEFAULT, H5P_DEFAULT),
              0);
    EXPECT_GE(H5Lcreate_soft("/away/x", made, "soft", H5P_DEFAULT, H5P_DEFAULT), 0);
  });
  for (const char* path : {"/away/x", "/away", "/soft"}) {
    expect_error(ErrorKind::data, {"a.h5", "other.h5", "lies in another file"},
                 [&] { Hdf5File(path_).exists(path); });
    expect_error(ErrorKind::data, {"other.h5"}, [&] { Hdf5File(path_).shape(path); });
  }
  const Hdf5File followed(path_, Hdf5File::Mode::read, Hdf5File::Links::follow);
  EXPECT_EQ(followed.read<float>("/away/x").values, (std::vector<float>{3, 4}));
  EXPECT_EQ(followed.read<float>("/soft").values, (std::vector<float>{3, 4}));
}

TEST_F(Hdf5, VirtualDataSetsOfOtherFilesAreFollowedOnlyWhereAllowed) {
  const std::string other = (folder_ / "other.h5").string();
  spill(folder_ / "secret", "password");
  Hdf5File(other, Hdf5File::Mode::create).write<float>("/x", {{2}, {3, 4}});
  const auto make = [&] {
    made_elsewhere([&](hid_t made) {
      const hsize_t two = 2;
      const hid_t space = H5Screate_simple(1, &two, nullptr),
                  creation = H5Pcreate(H5P_DATASET_CREATE);
      EXPECT_GE(H5Pset_virtual(creation, space, other.c_str(), "/x", space), 0);
      H5Dclose(H5Dcreate2(made, "v", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
      H5Pclose(creation);
      H5Sclose(space);
    });
  };
  make();
  expect_error(ErrorKind::data, {"a.h5", "/v", "other.h5"},
               [&] { Hdf5File(path_).read<float>("/v"); });
  {
    const Hdf5File followed(path_, Hdf5File::Mode::read, Hdf5File::Links::follow);
    EXPECT_EQ(followed.read<float>("/v").values, (std::vector<float>{3, 4}));
  }
  // Nor by way of the other file.
  const hid_t sly = H5Fcreate(other.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put_external(sly, "x", (folder_ / "secret").string(), 2);
  H5Fclose(sly);
  make();
  const Hdf5File followed(path_, Hdf5File::Mode::read, Hdf5File::Links::follow);
  expect_error(ErrorKind::data, {"other.h5", "secret"}, [&] { followed.read<float>("/v"); });
}

/// A data set of this type and shape in chunks of which none is written.
void put_empty_chunks(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& shape,
                      const std::vector<hsize_t>& chunk) {
  const int rank = static_cast<int>(shape.size());
  const hid_t space = H5Screate_simple(rank, shape.data(), nullptr),
              creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, rank, chunk.data());
  H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Pclose(creation);
  H5Sclose(space);
}

/// 2 KB that declare 3.2 GB.
TEST_F(Hdf5, ValuesThatAreDeclaredAndNotStoredAreRefused) {
  const auto file = made_elsewhere([&](hid_t made) {
    put_empty_chunks(made, "inputs", H5T_IEEE_F32LE, {20'000, 20'000, 2}, {1000, 1000, 2});
    const hid_t rows = H5Tvlen_create(H5T_IEEE_F32LE);
    put_empty_chunks(made, "rows", rows, {1'000'000'000}, {1000});
    H5Tclose(rows);
  });
  expect_error(ErrorKind::data, {"a.h5", "/inputs", "3.0 GiB of memory", "1000 times"},
               [&] { file.read<float>("/inputs"); });
  expect_error(ErrorKind::data, {"a.h5", "/rows", "of memory"},
               [&] { file.read_variable_rows<double>("/rows", 0, 1'000'000'000); });
  EXPECT_EQ(file.read_rows<float>("/inputs", 0, 1).values.size(), 40'000U);
}

/// No time of creation is in a file: exports of one network are the same bytes.
TEST_F(Hdf5, TheSameContentIsTheSameBytes) {
  const auto write = [&](const std::string& name) {
    Hdf5File file(folder_ / name, Hdf5File::Mode::create);
    file.make_group("/empty");
    file.write<double>("/group/x", {{2000}, std::vector<double>(2000, 0.5)}, true);
    file.write<std::int64_t>("/y", {{}, {3}});
    file.write_texts("/texts", {{2}, {"a", "b"}});
    file.write_variable_rows<double>("/rows", {{0, 1, 3}, {1, 2, 3}}, Hdf5Type::float16);
    file.write_text_attribute("/group", "note", "text");
  };
  write("one.h5");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 would store seconds.
  write("two.h5");
  EXPECT_EQ(testing::slurp(folder_ / "one.h5"), testing::slurp(folder_ / "two.h5"));
}

}  // namespace
}  // namespace afterspike::io
