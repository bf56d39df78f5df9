// Work on rows that kernels' own tests reach only in part.

#include "kernels/rows.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "examples.hpp"

namespace afterspike::kernels {
namespace {

template <typename T>
class RowsOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RowsOf, Types);

TYPED_TEST(RowsOf, CompressesWhatIsNotZero) {
  using T = TypeParam;
  Rng rng(3);
  with_each_target([&](const char* name) {
    SCOPED_TRACE(name);
    for (const std::int64_t size : {1, 7, 16, 17, 140, 700}) {
      for (const double density : {0.0, 0.05, 0.5, 1.0}) {
        std::vector<T> from(static_cast<std::size_t>(size));
        std::vector<std::int32_t> places;
        for (std::size_t i = 0; i < from.size(); ++i) {
          if (rng.uniform() >= density) continue;
          from[i] = i == 3 ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(rng.normal());
          places.push_back(static_cast<std::int32_t>(i));
        }
        if (from.size() > 5 && density == 0) from[5] = T(-0.0);
        const auto most = static_cast<std::int64_t>(places.size());
        const auto room = static_cast<std::size_t>(most + kRowElements<T>);
        std::vector<std::int32_t> index(room);
        std::vector<T> value(room);
        const auto compress = rows<T>().compress;
        ASSERT_EQ(compress(from.data(), size, most, index.data(), value.data()), most);
        for (std::size_t i = 0; i < places.size(); ++i) {
          EXPECT_EQ(index[i], places[i]);
          const T expected = from[static_cast<std::size_t>(places[i])];
          EXPECT_TRUE(value[i] == expected || (std::isnan(value[i]) && std::isnan(expected)));
        }
        if (most == 0) continue;
        EXPECT_EQ(compress(from.data(), size, most - 1, index.data(), value.data()), -1);
      }
    }
  });
}

}  // namespace
}  // namespace afterspike::kernels
