#include "afterspike/statistics/partition.hpp"

#include <algorithm>
#include <numeric>
#include <queue>

namespace afterspike::statistics {
namespace {

/// A contiguous range of the ordered points, with the values needed to cut it.
struct Cell {
  std::size_t begin, end;
  Eigen::RowVectorXd mean;
  Eigen::Index widest;
  double sum_of_squares;

  bool operator<(const Cell& other) const {
    return sum_of_squares != other.sum_of_squares ? sum_of_squares < other.sum_of_squares
                                                  : begin > other.begin;
  }
};

Cell describe(const Points& points, const std::vector<Eigen::Index>& order, std::size_t begin,
              std::size_t end) {
  Cell cell{begin, end, Eigen::RowVectorXd::Zero(points.cols()), 0, 0};
  for (std::size_t i = begin; i < end; ++i) cell.mean += points.row(order[i]);
  cell.mean /= static_cast<double>(end - begin);
  Eigen::RowVectorXd squares = Eigen::RowVectorXd::Zero(points.cols());
  for (std::size_t i = begin; i < end; ++i) {
    squares += (points.row(order[i]) - cell.mean).cwiseAbs2();
  }
  squares.maxCoeff(&cell.widest);
  cell.sum_of_squares = squares.sum();
  return cell;
}

}  // namespace

Partition partition(const Points& points, std::int64_t cells) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(points.rows()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::priority_queue<Cell> queue;
  std::vector<Cell> done;
  queue.push(describe(points, order, 0, order.size()));
  while (!queue.empty() && static_cast<std::int64_t>(queue.size() + done.size()) < cells) {
    const Cell cell = queue.top();
    queue.pop();
    const auto at = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
    const auto middle = std::stable_partition(at(cell.begin), at(cell.end), [&](Eigen::Index i) {
      return points(i, cell.widest) <= cell.mean(cell.widest);
    });
    const auto cut = static_cast<std::size_t>(middle - order.begin());
    if (cut == cell.begin || cut == cell.end) {  // All points are equal, up to rounding.
      done.push_back(cell);
      continue;
    }
    queue.push(describe(points, order, cell.begin, cut));
    queue.push(describe(points, order, cut, cell.end));
  }
  for (; !queue.empty(); queue.pop()) done.push_back(queue.top());
  std::sort(done.begin(), done.end(),
            [](const Cell& a, const Cell& b) { return a.begin < b.begin; });
  Partition result;
  result.means.resize(static_cast<Eigen::Index>(done.size()), points.cols());
  result.cell.resize(order.size());
  for (std::size_t c = 0; c < done.size(); ++c) {
    result.means.row(static_cast<Eigen::Index>(c)) = done[c].mean;
    result.weights.push_back(static_cast<std::int64_t>(done[c].end - done[c].begin));
    for (std::size_t i = done[c].begin; i < done[c].end; ++i) {
      result.cell[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(c);
    }
  }
  return result;
}

}  // namespace afterspike::statistics
