#include "floor.hpp"

#include <algorithm>

#include "afterspike/base/error.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "child.hpp"
#include "subject.hpp"

namespace afterspike::bench {
namespace {

using kernels::Product;
using kernels::Take;

/// With one input per step, its weights and their gradients are outer products and sums, not matrix
/// products.
bool counts(const Product& product) {
  return product.k > 1 && (product.m > 1 || product.take_a == Take::plain);
}

/// Returns the products of a kernel for the first `rows` sequences.
std::vector<Product> logged(const Settings& settings, std::int64_t rows) {
  const auto products = in_child<Product>([&] {
    const Subject subject(settings, rows);
    const kernels::ProductLog log;
    subject.run_shard(0);
    std::vector<Product> kept = log.products();
    std::erase_if(kept, [](const Product& product) { return !counts(product); });
    return kept;
  });
  require(products.has_value(), ErrorKind::config, "bench: there is not enough memory for a shard");
  return *products;
}

}  // namespace

StepProducts step_products(const Settings& settings) {
  Settings fused = settings;
  fused.path = Path::fused;
  const std::int64_t rows = experiment::shard_rows(settings.batch);
  const std::int64_t shards = experiment::shard_count(settings.batch, rows);
  const std::int64_t last = settings.batch - (shards - 1) * rows;
  std::vector<Product> full = logged(fused, rows);
  return {shards, full, last == rows ? full : logged(fused, last)};
}

Floor::Floor(const StepProducts& products, int threads) : shards_(products.shards) {
  for (int thread = 0; thread < threads; ++thread) {
    replays_.push_back(
        {kernels::ProductReplay(products.full), kernels::ProductReplay(products.last)});
    free_.push_back(static_cast<std::size_t>(thread));
  }
}

void Floor::run(ThreadPool& pool) {
  pool.run(shards_, [this](std::int64_t shard) {
    std::unique_lock lock(mutex_);
    const std::size_t set = free_.back();
    free_.pop_back();
    lock.unlock();
    (shard + 1 == shards_ ? replays_[set].last : replays_[set].full).run();
    lock.lock();
    free_.push_back(set);
  });
}

}  // namespace afterspike::bench
