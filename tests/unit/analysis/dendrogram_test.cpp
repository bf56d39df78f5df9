#include "analysis/report/dendrogram.hpp"

#include <set>

#include <gtest/gtest.h>

namespace afterspike::analysis {
namespace {

/// Three groups of points on a line.
statistics::Clustering three_groups() {
  statistics::Points points(9, 1);
  points << 0, 0.1, 0.25, 5, 5.15, 5.4, 20, 20.2, 20.5;
  ThreadPool pool(1);
  statistics::ClusteringOptions options;
  options.replicates = 0;
  options.most = 4;
  return statistics::cluster(points, options, Rng(1), pool);
}

TEST(DendrogramOfClusters, HasABracketOverItsPartsForEachMerge) {
  const statistics::Clustering clustering = three_groups();
  const Dendrogram tree = dendrogram(clustering, 3, 100);
  EXPECT_EQ(tree.leaves, 9);
  ASSERT_EQ(tree.brackets.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    const Dendrogram::Bracket& own = tree.brackets[i];
    EXPECT_EQ(own.distance, clustering.linkage[i].distance);
    EXPECT_LT(own.left, own.right);
    EXPECT_LE(std::max(own.left_foot, own.right_foot), own.distance);
    EXPECT_GE(own.left, 0);
    EXPECT_LE(own.right, 8);
  }
}

TEST(DendrogramOfClusters, TellsWhatIsWithinAClusterFromWhatIsBetween) {
  const statistics::Clustering clustering = three_groups();
  const Dendrogram tree = dendrogram(clustering, 3, 100);
  std::multiset<std::int64_t> clusters;
  for (const Dendrogram::Bracket& own : tree.brackets) clusters.insert(own.cluster);
  for (const std::int64_t cluster : {0, 1, 2}) EXPECT_EQ(clusters.count(cluster), 2U);
  EXPECT_EQ(clusters.count(Dendrogram::kBetween), 2U);
  EXPECT_EQ(tree.brackets.back().cluster, Dendrogram::kBetween);
}

TEST(DendrogramOfClusters, OfTheLastMergesHasOneLeafMore) {
  const statistics::Clustering clustering = three_groups();
  const Dendrogram tree = dendrogram(clustering, 3, 4);
  EXPECT_EQ(tree.leaves, 5);
  EXPECT_EQ(tree.brackets.size(), 4U);
  EXPECT_EQ(tree.brackets.back().distance, clustering.linkage.back().distance);
}

}  // namespace
}  // namespace afterspike::analysis
