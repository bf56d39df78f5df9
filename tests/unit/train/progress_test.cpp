#include <gtest/gtest.h>

#include "afterspike/train/trainer.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

using testing::expect_error;

Progress example() {
  Progress progress;
  progress.epoch = 3;
  progress.step_in_epoch = 7;
  progress.step = 307;
  progress.running = {896, 512, 1.0 / 3};
  progress.best_epoch = 2;
  progress.best_accuracy = 0.1 + 0.2;
  progress.best_loss = 1e-300;
  progress.wall_s = 12.5;
  progress.cpu_s = 25;
  return progress;
}

TEST(Progress, IsTheSameAfterBeingText) {
  for (const std::int64_t best_epoch : {0, 2}) {
    Progress progress = example();
    progress.best_epoch = best_epoch;
    if (best_epoch == 0) progress.best_loss = std::numeric_limits<double>::infinity();
    const io::Json json = io::Json::parse(progress.to_json().dump());
    const Progress read = Progress::from_json(json);
    EXPECT_EQ(read.to_json(), progress.to_json());
    EXPECT_EQ(read.best_loss, progress.best_loss) << "infinite where nothing was selected";
    EXPECT_EQ(read.running.loss, progress.running.loss);
  }
}

TEST(Progress, RefusesWhatIsDamagedAndNamesTheMember) {
  for (const char* member : {"epoch", "step_in_epoch", "step", "running", "best_epoch",
                             "best_accuracy", "best_loss", "wall_s", "cpu_s"}) {
    io::Json missing = example().to_json();
    missing.erase(member);
    expect_error(ErrorKind::checkpoint, {"progress", std::string("'") + member + "' is missing"},
                 [&] { Progress::from_json(missing); });
    io::Json text = example().to_json();
    text[member] = "many";
    const std::string named = member == std::string("running") ? "samples" : member;
    expect_error(ErrorKind::checkpoint, {"progress", "'" + named + "'"},
                 [&] { Progress::from_json(text); });
  }
  for (const char* member : {"epoch", "step_in_epoch", "step", "best_epoch"}) {
    io::Json negative = example().to_json();
    negative[member] = -1;
    expect_error(ErrorKind::checkpoint, {std::string("'") + member + "' is -1", "0 or more"},
                 [&] { Progress::from_json(negative); });
    io::Json fraction = example().to_json();
    fraction[member] = 1.5;
    expect_error(ErrorKind::checkpoint, {std::string("'") + member + "'", "1.5"},
                 [&] { Progress::from_json(fraction); });
  }
  io::Json unknown = example().to_json();
  unknown["running"].erase("samples");
  expect_error(ErrorKind::checkpoint, {"'samples' is missing"},
               [&] { Progress::from_json(unknown); });
}

}  // namespace
}  // namespace afterspike::train
