#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace afterspike {

/// Counter-based random numbers (Philox4x32-10; Salmon et al. 2011, "Parallel random numbers: as
/// easy as 1, 2, 3").
///
/// One root seed; each consumer derives its stream by name, so streams are independent of each
/// other and of the order in which they are used, and a new consumer disturbs no old one. There is
/// no default seed. A copy continues from the same place. The numbers are the same on every
/// machine.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) noexcept;

  /// Returns the stream of this generator named `name` (and `index`, e.g. an epoch). It depends on
  /// the seed and the names only, not on how many numbers were drawn.
  Rng stream(std::string_view name) const noexcept;
  Rng stream(std::string_view name, std::uint64_t index) const noexcept;

  /// Returns this stream after `drawn` numbers; takes the same time for any count.
  Rng after(std::uint64_t drawn) const noexcept;

  /// Key of the stream, for generators that draw many numbers at once. It stands for the seed and
  /// all names.
  std::uint64_t key() const noexcept { return key_; }
  /// Stream of a key from key().
  static Rng of_key(std::uint64_t key) noexcept;

  /// 64 random bits.
  std::uint64_t next() noexcept;

  /// Uniform in [0, 1), 53 bits.
  double uniform() noexcept;

  /// Uniform in [low, high).
  double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

  /// Standard normal (Box-Muller).
  double normal() noexcept;

  /// Uniform in 0 .. bound - 1, without bias. REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) noexcept;

  /// Returns a random order of 0 .. size - 1.
  std::vector<std::int64_t> permutation(std::int64_t size);

 private:
  std::uint64_t key_;
  std::uint64_t block_ = 0;  ///< Blocks of four words drawn so far.
  std::array<std::uint64_t, 2> buffer_{};
  int left_ = 0;  ///< Unused words of the buffer.
};

}  // namespace afterspike
