// Ward's linkage, labels and Calinski-Harabasz scores against SciPy and scikit-learn, on parameters
// that the authors of GLIFR published; their files say which versions.

#include <filesystem>

#include <gtest/gtest.h>

#include "afterspike/io/json.hpp"
#include "afterspike/io/table.hpp"
#include "afterspike/statistics/clustering.hpp"
#include "afterspike/statistics/scores.hpp"
#include "support/golden.hpp"

namespace afterspike::statistics {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-9;

Points points_of(const io::Table& table) {
  Points points(static_cast<Eigen::Index>(table.rows.size()),
                static_cast<Eigen::Index>(table.columns.size()));
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    for (Eigen::Index j = 0; j < points.cols(); ++j) {
      points(i, j) = table.rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    }
  }
  return points;
}

class GoldenClustering : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const fs::path directory = testing::golden_path("clustering");
    points = points_of(io::read_csv(directory / (std::string(GetParam()) + "_parameters.csv")));
    expected =
        io::read_json(directory / (std::string(GetParam()) + "_clusters.json"), ErrorKind::data);
  }

  void compare(const char* form, Standardise standardise) const {
    ClusteringOptions options;
    options.standardise = standardise;
    options.replicates = 0;
    ThreadPool pool(1);
    const Clustering found = cluster(points, options, Rng(1), pool);
    compare_linkage(found.linkage, expected.at(form).at("linkage"));
    for (const auto& [name, division] : expected.at(form).at("ward").items()) {
      const Division& own = found.division(std::stoll(name));
      const auto score = division.at("calinski_harabasz").get<double>();
      EXPECT_NEAR(own.calinski_harabasz, score, kTolerance * score) << form << ", k = " << name;
      EXPECT_NEAR(own.silhouette, division.at("silhouette").get<double>(), kTolerance)
          << form << ", k = " << name;
      EXPECT_EQ(adjusted_rand_index(own.labels, division.at("labels").get<Labels>()), 1)
          << form << ", k = " << name;
    }
  }

  static void compare_linkage(const Linkage& found, const io::Json& rows) {
    ASSERT_EQ(found.size(), rows.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].first, rows[i][0].get<double>()) << i;
      EXPECT_EQ(found[i].second, rows[i][1].get<double>()) << i;
      EXPECT_EQ(found[i].size, rows[i][3].get<double>()) << i;
      const auto distance = rows[i][2].get<double>();
      EXPECT_NEAR(found[i].distance, distance, kTolerance * distance) << i;
    }
  }

  Points points;
  io::Json expected;
};

TEST_P(GoldenClustering, HasTheLabelsScoresAndLinkageOfTheRawParameters) {
  compare("raw", Standardise::none);
}

TEST_P(GoldenClustering, HasTheLabelsScoresAndLinkageOfTheStandardisedParameters) {
  compare("standardised", Standardise::zscore);
}

TEST_P(GoldenClustering, HasThePublishedScores) {
  ThreadPool pool(1);
  ClusteringOptions options{Standardise::none, 2, 11, 0};
  const Clustering found = cluster(points, options, Rng(1), pool);
  const auto published = expected.at("published_ch").get<std::vector<double>>();
  for (std::size_t i = 0; i < published.size(); ++i) {
    EXPECT_NEAR(found.divisions[i].calinski_harabasz, published[i], kTolerance * published[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, GoldenClustering,
                         ::testing::Values("line_mnist", "nmnist", "sine"));

}  // namespace
}  // namespace afterspike::statistics
