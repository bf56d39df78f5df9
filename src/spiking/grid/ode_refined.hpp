#pragma once

#include <cstdint>
#include <vector>

#include "grid/ode_group.hpp"
#include "simulation/lines.hpp"

namespace afterspike::spiking {

/// Neurons that a level has listed, side by side, so that the next one advances full vectors.
class Refined {
 public:
  explicit Refined(OdeLevel level) : level_(level) {}

  /// Copies the listed neurons of `from`. The result is valid until the next call.
  OdeStep& pack(const OdeStep& from, const OdeRule& rule);
  /// Puts the neurons back and adds their spikes and failures.
  void unpack(OdeStep& to, const OdeRule& rule) const;

 private:
  double* take(const double* from, std::int64_t rows = 1);
  Coefficient take(const Coefficient& from);
  void put_back(const double* from, double* to, std::int64_t rows) const;

  OdeLevel level_;
  OdeStep step_;
  std::vector<std::uint32_t> columns_;  ///< Column of each in the step before.
  std::int64_t stride_ = 0;             ///< Columns of the step before.
  std::vector<std::uint32_t> spiked_, list_;
  std::vector<Coefficient> coefficients_, decays_;
  Lines values_;
  std::size_t used_ = 0;
};

}  // namespace afterspike::spiking
