#include "afterspike/train/ranks.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace afterspike::train {
namespace {

class Alone final : public Ranks {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  int on_this_host() const noexcept override { return 1; }
  void fold(const at::Tensor& values, const Add& add) override { add(values.view(-1), 0); }
  void stop(const Error& /*error*/) noexcept override {}
};

}  // namespace

Ranks& alone() {
  static Alone ranks;
  return ranks;
}

void share(Ranks& ranks, const at::Tensor& values) {
  ranks.fold(values, [](const at::Tensor&, std::int64_t) {});
}

std::string share(Ranks& ranks, const std::string& text) {
  if (ranks.size() == 1) return text;
  const at::Tensor size = at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong);
  share(ranks, size);
  at::Tensor bytes = at::empty({size.item<std::int64_t>()}, at::kByte);
  if (ranks.rank() == 0) text.copy(static_cast<char*>(bytes.data_ptr()), text.size());
  share(ranks, bytes);
  return {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

void require_same(Ranks& ranks, const io::Json& facts) {
  if (ranks.size() == 1) return;
  const io::Json expected = io::parse_json(share(ranks, facts.dump()), "rank 0", ErrorKind::lost);
  const auto text = [](const io::Json& value) {
    if (value.is_null()) return std::string("nothing");
    return value.is_string() ? fmt::format("'{}'", value.get<std::string>()) : value.dump();
  };
  const auto check = [&](const std::string& name, const io::Json& found, const io::Json& wanted) {
    require(found == wanted, ErrorKind::config,
            "{}: found {}, expected {}, as on rank 0: all ranks train the same", name, text(found),
            text(wanted));
  };
  for (const auto& [name, value] : expected.items())
    check(name, facts.value(name, io::Json()), value);
  for (const auto& [name, value] : facts.items())
    check(name, value, expected.value(name, io::Json()));
}

std::pair<std::int64_t, std::int64_t> part_of(const Ranks& ranks, std::int64_t count) noexcept {
  const auto begin = [&](std::int64_t rank) {
    return (count * rank + ranks.size() - 1) / ranks.size();
  };
  return {begin(ranks.rank()), begin(ranks.rank() + 1)};
}

}  // namespace afterspike::train
