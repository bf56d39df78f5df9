#include "afterspike/train/ranks.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/thread_ranks.hpp"

namespace afterspike::train {
namespace {

using testing::expect_error;
using testing::ThreadRanks;

TEST(Ranks, SharePartsThatFollowEachOther) {
  for (const int size : {1, 2, 3, 7}) {
    for (const std::int64_t count : {0, 1, 2, 5, 6, 100}) {
      std::vector<std::pair<std::int64_t, std::int64_t>> parts(static_cast<std::size_t>(size));
      ThreadRanks(size).run([&](Ranks& ranks) {
        parts[static_cast<std::size_t>(ranks.rank())] = part_of(ranks, count);
      });
      std::int64_t next = 0;
      for (const auto& [first, last] : parts) {
        EXPECT_EQ(first, next);
        EXPECT_LE(last - first, (count + size - 1) / size);
        EXPECT_GE(last - first, count / size);
        next = last;
      }
      EXPECT_EQ(next, count);
      EXPECT_EQ(parts[0].second > 0, count > 0) << "rank 0 has one if any has";
    }
  }
}

TEST(Ranks, GiveAllWhatRankZeroHas) {
  ThreadRanks(3).run([](Ranks& ranks) {
    const at::Tensor values = at::full({2, 3}, ranks.rank() + 5.0);
    share(ranks, values);
    EXPECT_TRUE(values.eq(5).all().item<bool>());
    EXPECT_EQ(share(ranks, ranks.rank() == 0 ? "from zero \n" : ""), "from zero \n");
    EXPECT_EQ(share(ranks, std::string()), "");
  });
  EXPECT_EQ(share(alone(), "mine"), "mine");
}

TEST(Ranks, ThatDifferAreToldInWhat) {
  const auto compare = [](const io::Json& of_zero, const io::Json& of_others) {
    ThreadRanks(3).run(
        [&](Ranks& ranks) { require_same(ranks, ranks.rank() == 0 ? of_zero : of_others); });
  };
  EXPECT_NO_THROW(compare({{"a", 1}, {"b", "x"}}, {{"a", 1}, {"b", "x"}}));
  const std::tuple<io::Json, io::Json, const char*> cases[] = {
      {{{"a", 1}, {"b", "x"}}, {{"a", 1}, {"b", "y"}}, "b: found 'y', expected 'x', as on rank 0"},
      {{{"a", 1}}, io::Json::object(), "a: found nothing, expected 1, as on rank 0"},
      {io::Json::object(), {{"c", true}}, "c: found true, expected nothing, as on rank 0"}};
  for (const auto& [of_zero, of_others, message] : cases) {
    expect_error(ErrorKind::config, {message}, [&] { compare(of_zero, of_others); });
  }
}

}  // namespace
}  // namespace afterspike::train
