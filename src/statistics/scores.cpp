#include "afterspike/statistics/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "afterspike/statistics/linkage.hpp"

namespace afterspike::statistics {
namespace {

/// Rows of one thread at a time.
constexpr std::int64_t kBlock = 64;

/// Silhouette of a point from its summed distances to each cluster.
double silhouette_of(const std::vector<double>& sums, const std::vector<std::int64_t>& sizes,
                     std::size_t cluster) {
  if (sizes[cluster] == 1 || sizes.size() == 1) return 0;
  const double within = sums[cluster] / static_cast<double>(sizes[cluster] - 1);
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    if (c != cluster) nearest = std::min(nearest, sums[c] / static_cast<double>(sizes[c]));
  }
  const double larger = std::max(within, nearest);
  return larger > 0 ? (nearest - within) / larger : 0;
}

double pairs(double count) {
  return count * (count - 1) / 2;
}

}  // namespace

Points cluster_means(const Points& points, const Labels& labels) {
  const std::vector<std::int64_t> sizes = cluster_sizes(labels);
  Points means = Points::Zero(static_cast<Eigen::Index>(sizes.size()), points.cols());
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    means.row(labels[static_cast<std::size_t>(i)]) += points.row(i);
  }
  for (Eigen::Index c = 0; c < means.rows(); ++c) {
    means.row(c) /= static_cast<double>(sizes[static_cast<std::size_t>(c)]);
  }
  return means;
}

double within_sum_of_squares(const Points& points, const Labels& labels) {
  const Points means = cluster_means(points, labels);
  double sum = 0;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    sum += (points.row(i) - means.row(labels[static_cast<std::size_t>(i)])).squaredNorm();
  }
  return sum;
}

double calinski_harabasz(const Points& points, const Labels& labels) {
  const std::vector<std::int64_t> sizes = cluster_sizes(labels);
  const Points means = cluster_means(points, labels);
  const Eigen::RowVectorXd mean = points.colwise().mean();
  double between = 0;
  for (Eigen::Index c = 0; c < means.rows(); ++c) {
    between += static_cast<double>(sizes[static_cast<std::size_t>(c)]) *
               (means.row(c) - mean).squaredNorm();
  }
  const double within = within_sum_of_squares(points, labels);
  if (within == 0) return 1;
  const auto n = static_cast<double>(points.rows());
  const auto k = static_cast<double>(sizes.size());
  return between * (n - k) / (within * (k - 1));
}

std::vector<double> silhouettes(const Points& points, const std::vector<Labels>& divisions,
                                ThreadPool& pool) {
  const std::int64_t count = points.rows();
  std::vector<std::vector<std::int64_t>> sizes;
  for (const Labels& labels : divisions) sizes.push_back(cluster_sizes(labels));
  const Eigen::MatrixXd features = points;  // Columns joint: distances to all points at once.
  Points values(static_cast<Eigen::Index>(divisions.size()), count);
  pool.run((count + kBlock - 1) / kBlock, [&](std::int64_t block) {
    Eigen::VectorXd distance(count);
    for (std::int64_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) {
      distance = (features.rowwise() - features.row(i)).rowwise().norm();
      for (std::size_t d = 0; d < divisions.size(); ++d) {
        const Labels& labels = divisions[d];
        std::vector<double> sums(sizes[d].size());
        for (std::int64_t j = 0; j < count; ++j) {
          sums[static_cast<std::size_t>(labels[static_cast<std::size_t>(j)])] += distance(j);
        }
        const auto cluster = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
        values(static_cast<Eigen::Index>(d), i) = silhouette_of(sums, sizes[d], cluster);
      }
    }
  });
  std::vector<double> means;
  for (Eigen::Index d = 0; d < values.rows(); ++d) means.push_back(values.row(d).mean());
  return means;
}

double adjusted_rand_index(const Labels& a, const Labels& b) {
  std::map<std::pair<std::int64_t, std::int64_t>, double> both;
  for (std::size_t i = 0; i < a.size(); ++i) ++both[{a[i], b[i]}];
  const auto sum_of_pairs = [](const std::vector<std::int64_t>& sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), 0.0, [](double sum, std::int64_t size) {
      return sum + pairs(static_cast<double>(size));
    });
  };
  double joint = 0;
  for (const auto& [names, count] : both) joint += pairs(count);
  const double in_a = sum_of_pairs(cluster_sizes(a));
  const double in_b = sum_of_pairs(cluster_sizes(b));
  const double expected = in_a * in_b / std::max(1.0, pairs(static_cast<double>(a.size())));
  const double largest = (in_a + in_b) / 2;
  // Both divisions have one cluster, or one per point: they are equal.
  return largest == expected ? 1 : (joint - expected) / (largest - expected);
}

}  // namespace afterspike::statistics
