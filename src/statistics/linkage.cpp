#include "afterspike/statistics/linkage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "afterspike/base/error.hpp"

namespace afterspike::statistics {
namespace {

/// Number of clusters whose distances stay in the first-level cache.
constexpr std::size_t kBlock = 1024;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// The remaining clusters, by SciPy's slots: a merge keeps the later of its two slots. Each feature
/// is contiguous, so that distances to all clusters are computed side by side; empty slots are
/// removed from time to time, in order.
class Clusters {
 public:
  Clusters(const Points& means, const std::vector<std::int64_t>& weights)
      : features_(static_cast<std::size_t>(means.cols())),
        count_(weights.size()),
        left_(count_),
        mean_(features_ * count_),
        distance_(count_),
        size_(weights.begin(), weights.end()),
        slot_(count_),
        place_(count_) {
    std::iota(slot_.begin(), slot_.end(), std::size_t{0});
    std::iota(place_.begin(), place_.end(), std::size_t{0});
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t f = 0; f < features_; ++f) {
        mean_[f * count_ + i] = means(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(f));
      }
    }
  }

  std::size_t first() const {
    return *std::find_if(slot_.begin(), slot_.end(),
                         [this](std::size_t slot) { return size_[place_[slot]] > 0; });
  }

  double size(std::size_t slot) const { return size_[place_[slot]]; }

  struct Neighbour {
    std::size_t slot;
    double squared_distance;
  };

  /// Returns the nearest cluster; `preferred` among equally near ones.
  Neighbour nearest(std::size_t slot, const std::size_t* preferred) {
    const std::size_t place = place_[slot];
    double least = kInfinite;
    for (std::size_t begin = 0; begin < count_; begin += kBlock) {
      least = std::min(least, measure(place, begin, std::min(count_, begin + kBlock)));
    }
    Neighbour best{slot, kInfinite};
    if (preferred != nullptr) best = {*preferred, distance_[place_[*preferred]]};
    if (least < best.squared_distance) {
      const auto at = std::find(distance_.begin(), distance_.end(), least) - distance_.begin();
      best = {slot_[static_cast<std::size_t>(at)], least};
    }
    return best;
  }

  /// Merges `from` into `into`.
  void merge(std::size_t from, std::size_t into) {
    const std::size_t a = place_[from];
    const std::size_t b = place_[into];
    const double sum = size_[a] + size_[b];
    for (std::size_t f = 0; f < features_; ++f) {
      double* mean = mean_.data() + f * count_;
      mean[b] = (size_[a] * mean[a] + size_[b] * mean[b]) / sum;
    }
    size_[b] = sum;
    size_[a] = 0;
    if (--left_ < count_ - count_ / 4) close_up();
  }

 private:
  /// Computes squared distances of the clusters begin .. end - 1 from cluster `own`; infinite for
  /// empty slots. Returns the smallest.
  double measure(std::size_t place, std::size_t begin, std::size_t end) {
    double* const distance = distance_.data();
    std::fill(distance + begin, distance + end, 0.0);
    for (std::size_t f = 0; f < features_; ++f) {
      const double* mean = mean_.data() + f * count_;
      const double from = mean[place];
      for (std::size_t i = begin; i < end; ++i) distance[i] += (mean[i] - from) * (mean[i] - from);
    }
    const double* const size = size_.data();
    const double own_size = size[place];
    for (std::size_t i = begin; i < end; ++i) {
      const double factor = 2 * size[i] * own_size / (size[i] + own_size);
      distance[i] = size[i] > 0 ? distance[i] * factor : kInfinite;
    }
    if (begin <= place && place < end) distance[place] = kInfinite;
    // Four lanes, because the compiler would not vectorise a single minimum.
    double lane[4] = {kInfinite, kInfinite, kInfinite, kInfinite};
    const std::size_t whole = end - (end - begin) % 4;
    for (std::size_t i = begin; i < whole; i += 4) {
      for (std::size_t j = 0; j < 4; ++j) lane[j] = std::min(lane[j], distance[i + j]);
    }
    for (std::size_t i = whole; i < end; ++i) lane[0] = std::min(lane[0], distance[i]);
    return std::min(std::min(lane[0], lane[1]), std::min(lane[2], lane[3]));
  }

  void close_up() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (size_[i] == 0) continue;
      size_[kept] = size_[i];
      slot_[kept] = slot_[i];
      place_[slot_[kept]] = kept;
      for (std::size_t f = 0; f < features_; ++f) {
        mean_[f * count_ + kept] = mean_[f * count_ + i];
      }
      ++kept;
    }
    for (std::size_t f = 0; f < features_; ++f) {
      const auto from = mean_.begin() + static_cast<std::ptrdiff_t>(f * count_);
      std::copy(from, from + static_cast<std::ptrdiff_t>(kept),
                mean_.begin() + static_cast<std::ptrdiff_t>(f * kept));
    }
    count_ = kept;
    mean_.resize(features_ * kept);
    distance_.resize(kept);
    size_.resize(kept);
    slot_.resize(kept);
  }

  std::size_t features_;
  std::size_t count_;               ///< Slots, including empty ones.
  std::size_t left_;                ///< Clusters.
  std::vector<double> mean_;        ///< [features, count]
  std::vector<double> distance_;    ///< [count], from the last measurement.
  std::vector<double> size_;        ///< [count]; 0: empty.
  std::vector<std::size_t> slot_;   ///< Original slot of each place.
  std::vector<std::size_t> place_;  ///< Place of each original slot.
};

/// The clusters to which points and merges belong.
class Forest {
 public:
  explicit Forest(std::int64_t nodes) : parent_(static_cast<std::size_t>(nodes)) {
    std::iota(parent_.begin(), parent_.end(), std::int64_t{0});
  }
  std::int64_t root(std::int64_t node) {
    std::int64_t top = node;
    while (parent(top) != top) top = parent(top);
    while (parent(node) != top) node = std::exchange(parent(node), top);
    return top;
  }
  void attach(std::int64_t node, std::int64_t to) { parent(node) = to; }

 private:
  std::int64_t& parent(std::int64_t node) { return parent_[static_cast<std::size_t>(node)]; }
  std::vector<std::int64_t> parent_;
};

/// Returns merges in the order they were found, by slot; the caller sorts them by distance.
Linkage chain_merges(Clusters& clusters, std::size_t points) {
  Linkage merges;
  std::vector<std::size_t> chain;
  while (merges.size() + 1 < points) {
    if (chain.empty()) chain.push_back(clusters.first());
    for (;;) {
      const std::size_t end = chain.back();
      const bool has_previous = chain.size() > 1;
      const std::size_t* previous = has_previous ? &chain[chain.size() - 2] : nullptr;
      const Clusters::Neighbour found = clusters.nearest(end, previous);
      if (!has_previous || found.slot != *previous) {
        chain.push_back(found.slot);
        continue;
      }
      const auto [first, second] = std::minmax(end, found.slot);
      merges.push_back({static_cast<std::int64_t>(first), static_cast<std::int64_t>(second),
                        std::sqrt(found.squared_distance), 0});
      clusters.merge(first, second);
      chain.resize(chain.size() - 2);
      break;
    }
  }
  return merges;
}

}  // namespace

Linkage ward(const Points& points) {
  return ward(points, std::vector<std::int64_t>(static_cast<std::size_t>(points.rows()), 1));
}

Linkage ward(const Points& means, const std::vector<std::int64_t>& weights) {
  const auto points = static_cast<std::int64_t>(weights.size());
  Clusters clusters(means, weights);
  Linkage merges = chain_merges(clusters, weights.size());
  std::stable_sort(merges.begin(), merges.end(),
                   [](const Merge& a, const Merge& b) { return a.distance < b.distance; });
  Forest forest(2 * points - 1);
  std::vector<std::int64_t> sizes(weights);
  sizes.resize(static_cast<std::size_t>(2 * points - 1));
  for (std::size_t i = 0; i < merges.size(); ++i) {
    Merge& merge = merges[i];
    const auto [first, second] = std::minmax({forest.root(merge.first), forest.root(merge.second)});
    const std::int64_t made = points + static_cast<std::int64_t>(i);
    merge.first = first;
    merge.second = second;
    merge.size = sizes[static_cast<std::size_t>(first)] + sizes[static_cast<std::size_t>(second)];
    sizes[static_cast<std::size_t>(made)] = merge.size;
    forest.attach(first, made);
    forest.attach(second, made);
  }
  return merges;
}

Labels cut(const Linkage& linkage, std::int64_t points, std::int64_t k) {
  require(1 <= k && k <= points, ErrorKind::internal, "{} clusters of {} points", k, points);
  Forest forest(2 * points - 1);
  for (std::int64_t i = 0; i < points - k; ++i) {
    const Merge& merge = linkage[static_cast<std::size_t>(i)];
    forest.attach(merge.first, points + i);
    forest.attach(merge.second, points + i);
  }
  std::vector<std::int64_t> number(static_cast<std::size_t>(2 * points - 1), -1);
  Labels labels(static_cast<std::size_t>(points));
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < points; ++i) {
    std::int64_t& label = number[static_cast<std::size_t>(forest.root(i))];
    if (label < 0) label = next++;
    labels[static_cast<std::size_t>(i)] = label;
  }
  return by_size(labels);
}

Labels by_size(const Labels& labels) {
  const std::vector<std::int64_t> sizes = cluster_sizes(labels);
  std::vector<std::size_t> first(sizes.size(), labels.size());
  for (std::size_t i = labels.size(); i-- > 0;) first[static_cast<std::size_t>(labels[i])] = i;
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return sizes[a] != sizes[b] ? sizes[a] > sizes[b] : first[a] < first[b];
  });
  std::vector<std::int64_t> renamed(sizes.size());
  for (std::size_t i = 0; i < order.size(); ++i) renamed[order[i]] = static_cast<std::int64_t>(i);
  Labels result(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    result[i] = renamed[static_cast<std::size_t>(labels[i])];
  }
  return result;
}

std::vector<std::int64_t> cluster_sizes(const Labels& labels) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t label : labels) {
    const auto index = static_cast<std::size_t>(label);
    if (index >= sizes.size()) sizes.resize(index + 1);
    ++sizes[index];
  }
  return sizes;
}

}  // namespace afterspike::statistics
