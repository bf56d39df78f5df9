#pragma once

#include <array>
#include <cstdint>

#include "afterspike/base/rng.hpp"

/// Pathfinder (Linsley et al. 2018; Long Range Arena, Tay et al. 2021): an image of dashed curves
/// and two discs. Are the discs the two ends of one curve?
namespace afterspike::datasets {

/// The settings of "hard" 32 x 32 images: two curves of 14 paddles (dashes of 2 pixels), 5 more
/// of 4.
struct PathfinderOptions {
  int contour_paddles = 14;
  int distractors = 5, distractor_paddles = 4;
  double continuity = 1.0;  ///< Larger values make straighter curves.
};

struct PathfinderImage {
  static constexpr int kSide = 32;
  std::array<std::uint8_t, kSide * kSide> pixels{};  ///< Row by row, 0 to 255.
  std::uint8_t connected = 0;                        ///< 1: the discs are ends of one curve.
};

/// Draws an image like the published generator (snakes2.py): curves grow paddle by paddle where
/// there is free space, are drawn at twice the resolution and resized by Lanczos filters in 8 bits.
/// Throws Error(config) if two curves of this length do not seem to fit.
PathfinderImage draw_pathfinder(const PathfinderOptions& options, Rng rng);

}  // namespace afterspike::datasets
