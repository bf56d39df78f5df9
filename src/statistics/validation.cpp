#include "afterspike/statistics/validation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Core>

#include "afterspike/statistics/resampling.hpp"
#include "afterspike/statistics/scores.hpp"

namespace afterspike::statistics {
namespace {

/// Returns the sums of squares within 1 .. most clusters. A merge by Ward's method adds half its
/// squared distance.
std::vector<double> within_sums(const Linkage& linkage, std::int64_t most) {
  const auto merges = static_cast<std::int64_t>(linkage.size());
  std::vector<double> sums(static_cast<std::size_t>(most));
  double sum = 0;
  for (std::int64_t i = 0; i <= merges; ++i) {
    const std::int64_t k = merges + 1 - i;  // Clusters before merge i.
    if (k <= most) sums[static_cast<std::size_t>(k - 1)] = sum;
    if (i < merges) {
      const double distance = linkage[static_cast<std::size_t>(i)].distance;
      sum += distance * distance / 2;
    }
  }
  return sums;
}

/// Returns Caliński-Harabasz scores for k = least .. most. Clusters without any spread have an
/// infinite score; if all points are equal the score is 1 (scikit-learn's for both).
std::vector<double> scores(const Linkage& linkage, std::int64_t least, std::int64_t most) {
  const std::vector<double> within = within_sums(linkage, most);
  const auto n = static_cast<double>(linkage.size() + 1);
  std::vector<double> result;
  for (std::int64_t k = least; k <= most; ++k) {
    const double inside = within[static_cast<std::size_t>(k - 1)];
    const auto groups = static_cast<double>(k);
    const double between = within[0] - inside;
    const bool told = inside > 0 || within[0] == 0;
    result.push_back(!told         ? std::numeric_limits<double>::max()
                     : inside == 0 ? 1
                                   : between * (n - groups) / (inside * (groups - 1)));
  }
  return result;
}

/// Returns coordinates along the principal components; drawn points are not rotated back, because
/// distances do not depend on a rotation.
Points turned(const Points& points) {
  return principal_components(points, points.cols()).project(points);
}

/// Draws as many points as `turned`, normal along each column with its variance.
Points draw_normal(const Points& turned, Rng rng) {
  const Eigen::VectorXd sd =
      (turned.colwise().squaredNorm() / static_cast<double>(turned.rows() - 1)).cwiseSqrt();
  Points drawn(turned.rows(), turned.cols());
  for (double& value : drawn.reshaped<Eigen::RowMajor>()) value = rng.normal();
  return drawn * sd.asDiagonal();
}

Points draw_uniform(const Points& turned, Rng rng) {
  const Eigen::RowVectorXd low = turned.colwise().minCoeff();
  const Eigen::RowVectorXd high = turned.colwise().maxCoeff();
  Points drawn(turned.rows(), turned.cols());
  for (Eigen::Index i = 0; i < drawn.rows(); ++i) {
    for (Eigen::Index j = 0; j < drawn.cols(); ++j) drawn(i, j) = rng.uniform(low(j), high(j));
  }
  return drawn;
}

/// Runs `work` for each replicate with its stream.
template <typename Work>
void for_each_replicate(int replicates, const Rng& rng, ThreadPool& pool, Work work) {
  pool.run(replicates, [&](std::int64_t replicate) {
    work(static_cast<std::size_t>(replicate),
         rng.stream("replicate", static_cast<std::uint64_t>(replicate)));
  });
}

/// A bootstrap sample: the drawn rows and their counts.
struct Resample {
  std::vector<std::int64_t> rows, weights;
};

Resample draw_rows(std::int64_t count, Rng rng) {
  std::vector<std::int64_t> times(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) ++times[rng.below(static_cast<std::uint64_t>(count))];
  Resample sample;
  for (std::int64_t row = 0; row < count; ++row) {
    const std::int64_t weight = times[static_cast<std::size_t>(row)];
    if (weight == 0) continue;
    sample.rows.push_back(row);
    sample.weights.push_back(weight);
  }
  return sample;
}

/// Returns the means of the k clusters of a resample, weighting every row by its count.
Points means_of(const Points& rows, const Resample& sample, const Labels& labels) {
  Points means = Points::Zero(static_cast<Eigen::Index>(cluster_sizes(labels).size()), rows.cols());
  Eigen::VectorXd weight = Eigen::VectorXd::Zero(means.rows());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto count = static_cast<double>(sample.weights[i]);
    means.row(labels[i]) += count * rows.row(static_cast<Eigen::Index>(i));
    weight(labels[i]) += count;
  }
  return weight.cwiseInverse().asDiagonal() * means;
}

/// Returns the agreement of each division with the clusters of one resample.
std::vector<double> agreements(const Points& points, const std::vector<Labels>& divisions,
                               const Resample& sample) {
  const Points rows = rows_of(points, sample.rows);
  const auto count = static_cast<std::int64_t>(sample.rows.size());
  const Linkage linkage = ward(rows, sample.weights);
  std::vector<double> result;
  for (const Labels& division : divisions) {
    const auto k = static_cast<std::int64_t>(cluster_sizes(division).size());
    const Labels labels = cut(linkage, count, std::min(k, count));
    result.push_back(
        adjusted_rand_index(division, nearest(points, means_of(rows, sample, labels))));
  }
  return result;
}

double p_value(const std::vector<double>& null, double found) {
  const auto as_large =
      std::count_if(null.begin(), null.end(), [found](double value) { return value >= found; });
  return (static_cast<double>(as_large) + 1) / (static_cast<double>(null.size()) + 1);
}

/// Returns the values at `index` of all replicates.
std::vector<double> column(const std::vector<std::vector<double>>& rows, std::size_t index) {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(row[index]);
  return values;
}

std::int64_t choose(const Gap& gap) {
  for (std::size_t k = 1; k < gap.gap.size(); ++k) {
    if (gap.gap[k - 1] >= gap.gap[k] - gap.error[k]) return static_cast<std::int64_t>(k);
  }
  return static_cast<std::int64_t>(gap.gap.size());
}

}  // namespace

std::vector<Stability> stability(const Points& points, const std::vector<Labels>& divisions,
                                 int replicates, const Rng& rng, ThreadPool& pool) {
  std::vector<std::vector<double>> found(static_cast<std::size_t>(replicates));
  for_each_replicate(replicates, rng, pool, [&](std::size_t replicate, const Rng& stream) {
    found[replicate] = agreements(points, divisions, draw_rows(points.rows(), stream));
  });
  std::vector<Stability> result;
  for (std::size_t d = 0; d < divisions.size(); ++d) {
    const std::vector<double> values = column(found, d);
    result.push_back({mean(values), quantile(values, (1 - kConfidence) / 2),
                      quantile(values, (1 + kConfidence) / 2)});
  }
  return result;
}

NullTest test_one_cluster(const Points& points, std::int64_t least, std::int64_t most,
                          int replicates, const Rng& rng, ThreadPool& pool) {
  const Points directions = turned(points);
  std::vector<std::vector<double>> null(static_cast<std::size_t>(replicates));
  for_each_replicate(replicates, rng, pool, [&](std::size_t replicate, const Rng& stream) {
    null[replicate] = scores(ward(draw_normal(directions, stream)), least, most);
  });
  NullTest test;
  test.score = scores(ward(points), least, most);
  std::vector<double> best;
  for (const auto& row : null) best.push_back(*std::max_element(row.begin(), row.end()));
  test.p_of_best = p_value(best, *std::max_element(test.score.begin(), test.score.end()));
  for (std::size_t i = 0; i < test.score.size(); ++i) {
    const std::vector<double> values = column(null, i);
    test.null_mean.push_back(mean(values));
    test.p.push_back(p_value(values, test.score[i]));
  }
  return test;
}

Gap gap_statistic(const Points& points, std::int64_t most, int replicates, const Rng& rng,
                  ThreadPool& pool) {
  const auto logarithms = [most](const Points& data) {
    std::vector<double> sums = within_sums(ward(data), most);
    for (double& sum : sums) sum = std::log(std::max(sum, std::numeric_limits<double>::min()));
    return sums;
  };
  const Points directions = turned(points);
  std::vector<std::vector<double>> null(static_cast<std::size_t>(replicates));
  for_each_replicate(replicates, rng, pool, [&](std::size_t replicate, const Rng& stream) {
    null[replicate] = logarithms(draw_uniform(directions, stream));
  });
  const std::vector<double> found = logarithms(points);
  const auto count = static_cast<double>(replicates);
  Gap gap;
  for (std::size_t k = 0; k < found.size(); ++k) {
    const std::vector<double> values = column(null, k);
    gap.gap.push_back(mean(values) - found[k]);
    // Tibshirani divides by the number of replicates.
    const double sd = standard_deviation(values) * std::sqrt((count - 1) / count);
    gap.error.push_back(sd * std::sqrt(1 + 1 / count));
  }
  gap.clusters = choose(gap);
  return gap;
}

Labels nearest(const Points& points, const Points& means) {
  Labels labels(static_cast<std::size_t>(points.rows()));
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    Eigen::Index best = 0;
    (means.rowwise() - points.row(i)).rowwise().squaredNorm().minCoeff(&best);
    labels[static_cast<std::size_t>(i)] = best;
  }
  return labels;
}

}  // namespace afterspike::statistics
