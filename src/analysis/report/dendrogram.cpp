#include "dendrogram.hpp"

#include <algorithm>

namespace afterspike::analysis {
namespace {

/// Position of the top of a drawn cluster.
struct Top {
  double place = 0, distance = 0;
};

/// Returns the cluster of each leaf of the linkage.
statistics::Labels leaf_labels(const statistics::Clustering& clustering, std::int64_t k) {
  const statistics::Labels& labels = clustering.division(k).labels;
  if (clustering.leaf.empty()) return labels;
  statistics::Labels result(clustering.linkage.size() + 1);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    result[static_cast<std::size_t>(clustering.leaf[i])] = labels[i];
  }
  return result;
}

/// Returns the clusters drawn as leaves, from left to right: those formed before merge `first`.
std::vector<std::int64_t> drawn_leaves(const statistics::Linkage& linkage, std::int64_t first) {
  const auto points = static_cast<std::int64_t>(linkage.size()) + 1;
  std::vector<std::int64_t> order;
  std::vector<std::int64_t> waiting = {points + static_cast<std::int64_t>(linkage.size()) - 1};
  while (!waiting.empty()) {
    const std::int64_t cluster = waiting.back();
    waiting.pop_back();
    if (cluster < points + first) {
      order.push_back(cluster);
      continue;
    }
    const auto& merge = linkage[static_cast<std::size_t>(cluster - points)];
    waiting.push_back(merge.second);
    waiting.push_back(merge.first);
  }
  return order;
}

}  // namespace

Dendrogram dendrogram(const statistics::Clustering& clustering, std::int64_t k, std::int64_t most) {
  const statistics::Linkage& linkage = clustering.linkage;
  const auto merges = static_cast<std::int64_t>(linkage.size());
  const std::int64_t points = merges + 1;
  const std::int64_t first = std::max<std::int64_t>(0, merges - most);
  statistics::Labels label = leaf_labels(clustering, k);
  for (const auto& merge : linkage) label.push_back(label[static_cast<std::size_t>(merge.first)]);
  std::vector<Top> tops(static_cast<std::size_t>(points + merges));
  const std::vector<std::int64_t> leaves = drawn_leaves(linkage, first);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    tops[static_cast<std::size_t>(leaves[i])] = {static_cast<double>(i), 0};
  }
  Dendrogram result;
  result.leaves = static_cast<std::int64_t>(leaves.size());
  for (std::int64_t i = first; i < merges; ++i) {
    const auto& merge = linkage[static_cast<std::size_t>(i)];
    const Top& left = tops[static_cast<std::size_t>(merge.first)];
    const Top& right = tops[static_cast<std::size_t>(merge.second)];
    const auto index = static_cast<std::size_t>(points + i);
    result.brackets.push_back({left.place, right.place, left.distance, right.distance,
                               merge.distance,
                               i < points - k ? label[index] : Dendrogram::kBetween});
    tops[index] = {(left.place + right.place) / 2, merge.distance};
  }
  return result;
}

}  // namespace afterspike::analysis
