#include "afterspike/statistics/clustering.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/statistics/partition.hpp"
#include "afterspike/statistics/scores.hpp"

namespace afterspike::statistics {
namespace {

Points scaled(const Points& points, Standardise standardise) {
  return standardise == Standardise::zscore ? zscore(points) : points;
}

void check(const Points& points, const ClusteringOptions& options) {
  require(options.least >= 2 && options.most >= options.least, ErrorKind::config,
          "clusters: found {} to {}, expected 2 or more, in rising order", options.least,
          options.most);
  require(options.replicates >= 0, ErrorKind::config, "replicates: found {}, expected 0 or more",
          options.replicates);
  require(options.exact_limit >= options.least_exact_limit(), ErrorKind::config,
          "exact limit: found {}, expected at least {}, more than the fewest clusters",
          options.exact_limit, options.least_exact_limit());
  require(points.cols() > 0, ErrorKind::data, "found no features to cluster by");
  require(points.rows() > options.least, ErrorKind::data,
          "found {} point{}, expected more than {} for {} clusters", points.rows(),
          points.rows() == 1 ? "" : "s", options.least, options.least);
  require_finite(points);
  const bool varies = ((points.rowwise() - points.row(0)).array() != 0).any();
  require(varies, ErrorKind::data, "all {} points are the same: there is nothing to cluster",
          points.rows());
}

/// Returns the columns that vary, which a mixture needs.
Points varying(const Points& points) {
  std::vector<Eigen::Index> kept;
  for (Eigen::Index column = 0; column < points.cols(); ++column) {
    if ((points.col(column).array() != points(0, column)).any()) kept.push_back(column);
  }
  return points(Eigen::all, kept);
}

/// A subset of the points, and their labels.
struct Sample {
  std::vector<std::int64_t> rows;
  Points points;

  /// Renumbered, because a sample may miss a small cluster.
  Labels labels(const Labels& all) const {
    Labels subset;
    for (const std::int64_t row : rows) subset.push_back(all[static_cast<std::size_t>(row)]);
    return by_size(subset);
  }
};

Sample sample_of(const Points& points, std::int64_t count, std::string_view what, const Rng& rng,
                 std::vector<std::string>& notes) {
  Sample sample;
  sample.rows = sample_rows(points.rows(), count, rng);
  sample.points = rows_of(points, sample.rows);
  if (points.rows() > count) {
    notes.push_back(
        fmt::format("{}: of a random sample of {} of the {} points", what, count, points.rows()));
  }
  return sample;
}

std::vector<Labels> labels_in(const Sample& sample, const std::vector<Division>& divisions) {
  std::vector<Labels> result;
  for (const Division& division : divisions) {
    result.push_back(sample.labels(division.labels));
  }
  return result;
}

/// Computes the linkage and, for each number of clusters, labels.
void link(const ClusteringOptions& options, std::int64_t most, Clustering& result) {
  const std::int64_t points = result.features.rows();
  std::int64_t leaves = points;
  if (points <= options.exact_limit) {
    result.linkage = ward(result.features);
  } else {
    const Partition cells = partition(result.features, std::min(kCells, options.exact_limit));
    leaves = cells.means.rows();
    require(leaves > options.least, ErrorKind::data,
            "found {} different points, expected more than {} for {} clusters", leaves,
            options.least, options.least);
    result.linkage = ward(cells.means, cells.weights);
    result.leaf = cells.cell;
    result.notes.push_back(fmt::format(
        "linkage: of {} cells of neighbouring points instead of {} points (more than the limit of "
        "{} for exact Ward linkage)",
        leaves, points, options.exact_limit));
  }
  for (std::int64_t k = options.least; k <= std::min(most, leaves - 1); ++k) {
    Labels labels = cut(result.linkage, leaves, k);
    if (!result.leaf.empty()) {
      Labels all(result.leaf.size());
      for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = labels[static_cast<std::size_t>(result.leaf[i])];
      }
      labels = by_size(all);
    }
    result.divisions.push_back({std::move(labels), 0, 0});
  }
}

void score(const ClusteringOptions& options, const Rng& rng, ThreadPool& pool, Clustering& result) {
  auto& divisions = result.divisions;
  pool.run(static_cast<std::int64_t>(divisions.size()), [&](std::int64_t i) {
    Division& division = divisions[static_cast<std::size_t>(i)];
    division.calinski_harabasz = calinski_harabasz(result.features, division.labels);
  });
  const Sample sample = sample_of(result.features, kScoredPoints, "silhouettes and mixtures",
                                  rng.stream("scored"), result.notes);
  const std::vector<Labels> labels = labels_in(sample, divisions);
  const std::vector<double> values = silhouettes(sample.points, labels, pool);
  for (std::size_t i = 0; i < divisions.size(); ++i) divisions[i].silhouette = values[i];

  const Points features = varying(sample.points);
  result.mixtures.resize(divisions.size() + 1);
  pool.run(static_cast<std::int64_t>(result.mixtures.size()), [&](std::int64_t i) {
    // One component first, then as many as each division has clusters.
    const Labels start =
        i == 0 ? Labels(sample.rows.size(), 0) : labels[static_cast<std::size_t>(i - 1)];
    const Mixture mixture = fit_mixture(features, start);
    result.mixtures[static_cast<std::size_t>(i)] = {i == 0 ? 1 : options.least + i - 1, mixture.bic,
                                                    mixture.converged};
  });
}

void choose(const ClusteringOptions& options, Clustering& result) {
  const auto best = [&](auto better) {
    const auto found = std::max_element(result.divisions.begin(), result.divisions.end(), better);
    return options.least + (found - result.divisions.begin());
  };
  result.by_calinski_harabasz = best([](const Division& a, const Division& b) {
    return a.calinski_harabasz < b.calinski_harabasz;
  });
  result.by_silhouette =
      best([](const Division& a, const Division& b) { return a.silhouette < b.silhouette; });
  result.by_bic =
      std::min_element(result.mixtures.begin(), result.mixtures.end(),
                       [](const MixtureScore& a, const MixtureScore& b) { return a.bic < b.bic; })
          ->components;
}

void validate(const ClusteringOptions& options, const Rng& rng, ThreadPool& pool,
              Clustering& result) {
  if (options.replicates == 0) return;
  const Sample sample =
      sample_of(result.features, kReplicatedPoints, "stability, null test and gap",
                rng.stream("replicated"), result.notes);
  const auto most = options.least + static_cast<std::int64_t>(result.divisions.size()) - 1;
  const std::vector<Labels> labels = labels_in(sample, result.divisions);
  result.stability =
      stability(sample.points, labels, options.replicates, rng.stream("stability"), pool);
  result.one_cluster = test_one_cluster(sample.points, options.least, most, options.replicates,
                                        rng.stream("one cluster"), pool);
  result.gap = gap_statistic(sample.points, most, options.replicates, rng.stream("gap"), pool);
}

}  // namespace

const Division& Clustering::division(std::int64_t k) const {
  const auto least = static_cast<std::int64_t>(cluster_sizes(divisions.front().labels).size());
  require(k >= least && k < least + static_cast<std::int64_t>(divisions.size()),
          ErrorKind::internal, "no division into {} clusters", k);
  return divisions[static_cast<std::size_t>(k - least)];
}

Clustering cluster(const Points& points, const ClusteringOptions& options, const Rng& rng,
                   ThreadPool& pool) {
  check(points, options);
  Clustering result;
  result.features = scaled(points, options.standardise);
  const std::int64_t most = std::min<std::int64_t>(options.most, points.rows() - 1);
  if (most < options.most) {
    result.notes.push_back(fmt::format("clusters: up to {} instead of {}, of {} points", most,
                                       options.most, points.rows()));
  }
  link(options, most, result);
  score(options, rng, pool, result);
  choose(options, result);
  validate(options, rng, pool, result);
  return result;
}

}  // namespace afterspike::statistics
