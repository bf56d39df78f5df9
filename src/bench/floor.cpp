#include "floor.hpp"

#include <algorithm>

#include "afterspike/base/error.hpp"
#include "afterspike/evaluation/evaluate.hpp"
#include "child.hpp"
#include "library_layer.hpp"
#include "subject.hpp"

namespace afterspike::bench {
namespace {

using kernels::Product;
using kernels::Take;

/// With one input a step, its weights and their gradients are outer products and sums, not matrix
/// products.
bool counts(const Product& product) {
  return product.k > 1 && (product.m > 1 || product.take_a == Take::plain);
}

/// What a kernel computes for the first `rows` sequences.
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

/// What LibTorch's layers cannot do without: the drive, a product a step, its transpose on the way
/// back, and the gradients of the weights.
std::vector<Product> gated(const Settings& settings, std::int64_t rows) {
  const std::int64_t gates = settings.neuron == "lstm" ? 4 : settings.neuron == "gru" ? 3 : 1;
  const std::int64_t h = settings.hidden, width = gates * h, all = settings.steps * rows;
  const std::int64_t input = settings.input;
  const auto product = [](Take a, Take b, std::int64_t m, std::int64_t n, std::int64_t k) {
    return Product{Product::Kind::float32,   a, b,    m, n, k, a == Take::plain ? k : m,
                   b == Take::plain ? n : k, n, false};
  };
  std::vector<Product> products = {product(Take::plain, Take::plain, all, width, input)};
  for (std::int64_t t = 0; t < settings.steps; ++t) {
    products.push_back(product(Take::plain, Take::plain, rows, width, h));
  }
  for (std::int64_t t = 0; t < settings.steps; ++t) {
    products.push_back(product(Take::plain, Take::transposed, rows, h, width));
  }
  products.push_back(product(Take::transposed, Take::plain, h, width, all));
  products.push_back(product(Take::transposed, Take::plain, input, width, all));
  std::erase_if(products, [](const Product& one) { return !counts(one); });
  return products;
}

}  // namespace

StepProducts step_products(const Settings& settings) {
  Settings fused = settings;
  fused.path = Path::fused;
  const bool library = library_model(settings.neuron) != nullptr;
  const auto of_rows = [&](std::int64_t rows) {
    return library ? gated(fused, rows) : logged(fused, rows);
  };
  const std::int64_t rows = evaluation::shard_rows(settings.batch);
  const std::int64_t shards = evaluation::shard_count(settings.batch, rows);
  const std::int64_t last = settings.batch - (shards - 1) * rows;
  std::vector<Product> full = of_rows(rows);
  return {shards, full, last == rows ? full : of_rows(last)};
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
    thread_local const bool prepared = (kernels::prepare_thread(), true);
    static_cast<void>(prepared);
    std::unique_lock lock(mutex_);
    const std::size_t own = free_.back();
    free_.pop_back();
    lock.unlock();
    (shard + 1 == shards_ ? replays_[own].last : replays_[own].full).run();
    lock.lock();
    free_.push_back(own);
  });
}

}  // namespace afterspike::bench
