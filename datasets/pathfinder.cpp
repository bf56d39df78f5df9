#include "afterspike/datasets/pathfinder.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

#include "afterspike/base/error.hpp"
#include "raster.hpp"

namespace afterspike::datasets {
namespace {

// Names and values are those of the published settings for 32 x 32 images.
constexpr int kSide = PathfinderImage::kSide;
constexpr int kPadding = 1, kPaddleLength = 2, kMargin = 1, kAntialias = 2, kSeedDistance = 7;
constexpr int kThicknessCeiling = 1;  // Ceiling of 0.5 pixels, which is one at twice the
                                      // resolution.
constexpr double kMarkerRadius = 1.5;
constexpr float kSnakeContrast = 2, kPaddleContrast = 0.75;
constexpr int kPaddleTrials = 3, kSnakeTrials = 5;
constexpr double kFreeAtLeast = 0.01;
/// Half the size of the small image of a paddle.
constexpr int kReach = kPaddleLength + kThicknessCeiling + kMargin;
constexpr int kLargeReach = kReach * kAntialias;
/// Mask values up to this are free: resized masks have soft edges.
constexpr float kFree = 0.3F;

struct Point {
  int y = 0, x = 0;
};

bool inside(const Point& point) {
  return point.y >= 0 && point.y < kSide && point.x >= 0 && point.x < kSide;
}

Point translated(const Point& from, double orientation, double distance) {
  return {static_cast<int>(std::ceil(from.y + distance * std::sin(orientation))),
          static_cast<int>(std::ceil(from.x + distance * std::cos(orientation)))};
}

double reversed(double orientation) {
  return orientation < 0 ? orientation + std::numbers::pi : orientation - std::numbers::pi;
}

/// A paddle in a small image, from the centre to a point, at twice the size; and the area it
/// occupies with its margin, 0 to 1.
struct Paddle {
  explicit Paddle(const Point& head) : ink(2 * kReach + 1), place(2 * kReach + 1) {
    Pixels large(2 * kLargeReach + 1);
    draw_line(large, kLargeReach, kLargeReach, kLargeReach + head.y, kLargeReach + head.x);
    static const std::vector<Offset> margin = disc(kMargin * kAntialias);
    store(resize(large, ink.side), ink);
    store(resize(dilate(large, margin), place.side), place);
  }

  /// Returns the paddle of an orientation. Few differ, and each is made once.
  static const Paddle& towards(double orientation) {
    constexpr int kLongest = kPaddleLength * kAntialias, kSpan = 2 * kLongest + 1;
    static const std::vector<Paddle> all = [] {
      std::vector<Paddle> paddles;
      for (int y = -kLongest; y <= kLongest; ++y) {
        for (int x = -kLongest; x <= kLongest; ++x) paddles.emplace_back(Point{y, x});
      }
      return paddles;
    }();
    // Drawn from its head, because rounding is up and differs around 0.
    const Point head = translated({kLargeReach, kLargeReach}, orientation, kLongest);
    const int row = head.y - kLargeReach + kLongest, column = head.x - kLargeReach + kLongest;
    return all[static_cast<std::size_t>(row * kSpan + column)];
  }

  static void store(const Pixels& pixels, Field& field) {
    for (std::size_t i = 0; i < pixels.values.size(); ++i) {
      field.values[i] = static_cast<float>(pixels.values[i]) / 255;
    }
  }

  Field ink, place;
};

/// Raises `field` to `contrast` times the small image, centred at a point.
void stamp(Field& field, const Field& little, const Point& centre, float contrast = 1) {
  for (int y = 0; y < little.side; ++y) {
    for (int x = 0; x < little.side; ++x) {
      const int row = centre.y - kReach + y, column = centre.x - kReach + x;
      if (!field.has(row, column)) continue;
      float& value = field.at(row, column);
      value = std::max(value, contrast * little.at(y, x));
    }
  }
}

void raise_to(Field& field, const Field& other) {
  for (std::size_t i = 0; i < field.values.size(); ++i) {
    field.values[i] = std::max(field.values[i], other.values[i]);
  }
}

/// A growing curve.
struct Snake {
  Field last_place = Field(kSide);  ///< Area of the last paddle, which the next one may touch.
  Point pivot;
  double orientation = 0;
  Point origin, tip;
};

class Generator {
 public:
  Generator(const PathfinderOptions& options, Rng rng) : options_(options), rng_(rng) {}

  PathfinderImage draw() {
    PathfinderImage result;
    result.connected = static_cast<std::uint8_t>(rng_.below(2));
    constexpr int kMaxPairs = 20'000;  // With 14 paddles, one pair in about 43 fits.
    int pairs = 0;
    while (!draw_pair()) {
      require(++pairs < kMaxPairs, ErrorKind::config,
              "pathfinder: two curves of {} paddles do not fit into {} x {} pixels; expected "
              "shorter ones",
              options_.contour_paddles, kSide, kSide);
    }
    for (int distractor = 0; distractor < options_.distractors; ++distractor) {
      for (int trial = 0; trial < kSnakeTrials && !draw_distractor(); ++trial) {
      }
    }
    const std::size_t origin = rng_.below(2);
    const std::size_t end = result.connected == 1 ? origin : 1 - origin;
    mark(pair_[origin].origin);
    mark(pair_[end].tip);
    const float largest = *std::max_element(image_.values.begin(), image_.values.end());
    for (std::size_t i = 0; i < image_.values.size(); ++i) {
      result.pixels[i] = static_cast<std::uint8_t>(image_.values[i] * 255 / largest + 0.5F);
    }
    return result;
  }

 private:
  double random_orientation() {
    return (static_cast<double>(rng_.below(360)) - 180) * std::numbers::pi / 180;
  }

  /// Begins a snake at a point; returns false if its first paddle would leave the image.
  static bool begin(Snake& snake, const Point& tail, double orientation) {
    const Point head = translated(tail, orientation, kPaddleLength);
    snake.pivot = translated(head, reversed(orientation), kPaddleLength + kMargin);
    snake.orientation = orientation;
    snake.origin = tail;
    return inside(head) && inside(snake.pivot);
  }

  void draw_first(Snake& snake, float contrast) {
    const Paddle& paddle = Paddle::towards(snake.orientation);
    stamp(image_, paddle.ink, snake.origin, contrast);
    snake.last_place = Field(kSide);
    stamp(snake.last_place, paddle.place, snake.origin);
  }

  /// Returns points where a first paddle of this orientation fits, `border` pixels from the edges.
  std::vector<Point> places_for(double orientation, int border) const {
    Field blocked = mask_;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const bool near_edge =
            y < border || x < border || y >= kSide - border || x >= kSide - border;
        if (near_edge) blocked.at(y, x) = 1;
      }
    }
    // The published structuring element: it begins one pixel beside its centre.
    const Paddle& paddle = Paddle::towards(orientation);
    std::vector<Offset> shape;
    constexpr int kHalf = kPaddleLength + kMargin;
    for (int y = -kHalf; y <= kHalf; ++y) {
      for (int x = -kHalf; x <= kHalf; ++x) {
        if (paddle.place.at(y - 1 + kReach, x - 1 + kReach) >= 1) shape.push_back({y, x});
      }
    }
    const Field dilated = dilate(blocked, shape);
    std::vector<Point> free;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        if (dilated.at(y, x) <= kFree) free.push_back({y, x});
      }
    }
    return free;
  }

  /// Begins a snake at any free point; returns false after a few trials.
  bool seed(Snake& snake, int border) {
    for (int trial = 0; trial < kPaddleTrials; ++trial) {
      const double orientation = random_orientation();
      const std::vector<Point> free = places_for(orientation, border);
      if (free.empty()) return false;
      if (begin(snake, free[rng_.below(free.size())], orientation)) return true;
    }
    return false;
  }

  /// Begins a snake at the seed distance from another one.
  bool seed_beside(Snake& snake, const Point& other) {
    for (int trial = 0; trial < kPaddleTrials; ++trial) {
      const double orientation = random_orientation();
      const double direction = static_cast<double>(rng_.below(360)) * std::numbers::pi / 180;
      const Point tail{
          static_cast<int>(std::nearbyint(other.y + kSeedDistance * std::sin(direction))),
          static_cast<int>(std::nearbyint(other.x + kSeedDistance * std::cos(direction)))};
      if (begin(snake, tail, orientation)) return true;
    }
    return false;
  }

  struct Candidate {
    Point head;
    double orientation, weight;
  };

  /// Returns the largest mask value within the margin of a point.
  float largest_near(const Point& point) const {
    static const std::vector<Offset> margin = disc(kMargin);
    float largest = 0;
    for (const Offset& offset : margin) {
      const Point near{point.y + offset.y, point.x + offset.x};
      if (inside(near)) largest = std::max(largest, mask_.at(near.y, near.x));
    }
    return largest;
  }

  /// Returns candidate ends of the next paddle, on a circle around its pivot; weights add up to 1.
  /// Empty if nothing is free.
  std::vector<Candidate> candidates(const Point& pivot, double orientation) const {
    constexpr double kStep = kPaddleLength + kMargin;
    const double degrees = 360 / (2 * kStep * std::numbers::pi);
    std::map<std::pair<int, int>, bool> heads;  // In the order of numbering.
    for (int i = 0; i * degrees < 360; ++i) {
      const double angle = i * degrees * std::numbers::pi / 180;
      const double y = pivot.y + kStep * std::sin(angle), x = pivot.x + kStep * std::cos(angle);
      if (y >= 0 && y < kSide && x >= 0 && x < kSide) {
        heads[{static_cast<int>(y), static_cast<int>(x)}] = true;
      }
    }
    std::vector<Candidate> found;
    double total = 0;
    for (const auto& [head, ignored] : heads) {
      const double angle = std::atan2(head.first - pivot.y, head.second - pivot.x);
      const double turn = std::abs(angle - orientation);
      const double bend = std::min(
          std::min(turn, 2 * std::numbers::pi - turn) * options_.continuity, std::numbers::pi / 2);
      const double cosine = std::max(std::cos(bend), 0.0);
      const double weight = (1 - largest_near({head.first, head.second})) * cosine * cosine;
      found.push_back({{head.first, head.second}, angle, weight});
      total += weight;
    }
    if (total < 1e-4) return {};
    for (Candidate& candidate : found) candidate.weight /= total;
    return found;
  }

  const Candidate& draw_from(const std::vector<Candidate>& all) {
    const double place = rng_.uniform();
    double sum = 0;
    for (const Candidate& candidate : all) {
      sum += candidate.weight;
      if (sum > place) return candidate;
    }
    return all.front();
  }

  /// Adds a paddle; returns false if none fits.
  bool extend(Snake& snake, float contrast) {
    const Point pivot = translated(snake.pivot, snake.orientation, kPaddleLength + 2 * kMargin);
    const std::vector<Candidate> all = candidates(pivot, snake.orientation);
    if (all.empty()) return false;
    for (int trial = 0; trial < kPaddleTrials; ++trial) {
      const Candidate& next = draw_from(all);
      const Paddle& paddle = Paddle::towards(reversed(next.orientation));
      Field place(kSide);
      stamp(place, paddle.place, next.head);
      if (overlaps(place)) continue;
      stamp(image_, paddle.ink, next.head, contrast);
      raise_to(mask_, snake.last_place);
      snake.last_place = std::move(place);
      snake.pivot = pivot;
      snake.orientation = next.orientation;
      snake.tip = next.head;
      return true;
    }
    return false;
  }

  bool overlaps(const Field& place) const {
    constexpr float kBoth = 1.8F;
    for (std::size_t i = 0; i < place.values.size(); ++i) {
      if (mask_.values[i] + place.values[i] >= kBoth) return true;
    }
    return false;
  }

  /// Draws the two curves of the question, grown in turn. Returns false if one does not fit.
  bool draw_pair() {
    image_ = Field(kSide);
    mask_ = Field(kSide);
    for (int i = 0; i < kSide; ++i) {
      for (int edge = 0; edge < kPadding; ++edge) {
        mask_.at(edge, i) = mask_.at(kSide - 1 - edge, i) = 1;
        mask_.at(i, edge) = mask_.at(i, kSide - 1 - edge) = 1;
      }
    }
    constexpr float kContrast = kSnakeContrast * kPaddleContrast;
    if (!seed(pair_[0], 2 * kSeedDistance)) return false;
    if (!seed_beside(pair_[1], pair_[0].origin)) return false;
    for (Snake& snake : pair_) draw_first(snake, kContrast);
    for (int paddle = 1; paddle < options_.contour_paddles; ++paddle) {
      for (Snake& snake : pair_) {
        if (!extend(snake, kContrast)) return false;
      }
    }
    raise_to(mask_, pair_[1].last_place);
    return true;
  }

  bool draw_distractor() {
    const Field image = image_, mask = mask_;
    const auto free = std::count_if(mask_.values.begin(), mask_.values.end(),
                                    [](float value) { return value <= kFree; });
    if (static_cast<double>(free) / (kSide * kSide) < kFreeAtLeast) return false;
    Snake snake;
    bool drawn = seed(snake, 1);
    if (drawn) draw_first(snake, kSnakeContrast);
    for (int paddle = 1; drawn && paddle < options_.distractor_paddles; ++paddle) {
      drawn = extend(snake, kSnakeContrast);
    }
    if (drawn) {
      raise_to(mask_, snake.last_place);
    } else {
      image_ = image;
      mask_ = mask;
    }
    return drawn;
  }

  void mark(const Point& point) {
    Pixels large(kSide * kAntialias);
    constexpr double kRadius = kMarkerRadius * kAntialias;
    for (int y = 0; y < large.side; ++y) {
      for (int x = 0; x < large.side; ++x) {
        const int dy = y - point.y * kAntialias, dx = x - point.x * kAntialias;
        if (dx * dx + dy * dy <= kRadius * kRadius) large.at(y, x) = 255;
      }
    }
    const Pixels small = resize(large, kSide);
    for (std::size_t i = 0; i < small.values.size(); ++i) {
      image_.values[i] = std::max(image_.values[i], static_cast<float>(small.values[i]) / 255);
    }
  }

  PathfinderOptions options_;
  Rng rng_;
  Field image_ = Field(kSide), mask_ = Field(kSide);
  std::array<Snake, 2> pair_;
};

}  // namespace

PathfinderImage draw_pathfinder(const PathfinderOptions& options, Rng rng) {
  return Generator(options, rng).draw();
}

}  // namespace afterspike::datasets
