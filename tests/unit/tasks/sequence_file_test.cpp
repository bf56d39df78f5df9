#include "afterspike/tasks/sequence_file.hpp"

#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/sequence_files.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::expect_error;
using testing::expect_same;
using testing::spill;
using testing::write_hdf5;

class SequenceFiles : public ::testing::Test {
 protected:
  SequenceFile csv(std::string_view text) const {
    spill(directory_ / "own.csv", text);
    return read_sequence_file(directory_ / "own.csv");
  }
  SequenceFile hdf5(const std::vector<std::pair<std::string, at::Tensor>>& tensors) const {
    write_hdf5(directory_ / "own.h5", tensors);
    return read_sequence_file(directory_ / "own.h5");
  }

  testing::TempDir directory_;
};

at::Tensor floats(std::vector<float> values) {
  return at::tensor(values, at::kFloat);
}

at::Tensor integers(std::vector<std::int64_t> values) {
  return at::tensor(values, at::kLong);
}

TEST_F(SequenceFiles, Hdf5HoldsWhatWasWritten) {
  const at::Tensor inputs = at::rand({3, 4, 2}), targets = at::rand({3, 4, 5});
  const SequenceFile labelled =
      hdf5({{"inputs", inputs}, {"labels", integers({2, 0, 7})}, {"split", integers({0, 1, 2})}});
  expect_same(labelled.inputs, inputs, "inputs");
  expect_same(labelled.labels, integers({2, 0, 7}), "labels");
  expect_same(labelled.split, integers({0, 1, 2}), "split");
  EXPECT_FALSE(labelled.targets.defined() || labelled.lengths.defined());
  const SequenceFile traced = hdf5({{"inputs", inputs}, {"targets", targets}});
  expect_same(traced.targets, targets, "targets");
  EXPECT_FALSE(traced.labels.defined() || traced.split.defined());
}

TEST_F(SequenceFiles, CsvHoldsWhatWasWritten) {
  const SequenceFile file =
      csv("sequence,step,input_a,input_b,label,split\n"
          "4,0,1,2,3,0\n4,1,3,4,3,0\n"
          "1,0,5,6,0,2\n1,1,7,8,0,2\n");
  expect_same(file.inputs, floats({1, 2, 3, 4, 5, 6, 7, 8}).reshape({2, 2, 2}), "inputs");
  expect_same(file.labels, integers({3, 0}), "labels");
  expect_same(file.split, integers({0, 2}), "split");
  EXPECT_FALSE(file.lengths.defined()) << "all are equally long";
}

TEST_F(SequenceFiles, CsvOfUnequalLengthsIsFilledWithZeros) {
  const SequenceFile file =
      csv("target_x,sequence,input\n"
          "10,1,1\n"
          "20,2,2\n30,2,3\n40,2,4\n"
          "50,3,5\n60,3,6\n");
  expect_same(file.lengths, integers({1, 3, 2}), "lengths");
  expect_same(file.inputs, floats({1, 0, 0, 2, 3, 4, 5, 6, 0}).reshape({3, 3, 1}), "inputs");
  expect_same(file.targets, 10 * file.inputs, "targets");
}

/// 700 KB that would become 3.4 GiB: many short sequences and a long one.
TEST_F(SequenceFiles, CsvThatGrowsAThousandfoldIsRefused) {
  std::string text = "sequence,input\n";
  for (int sample = 0; sample < 30'000; ++sample) text += std::to_string(sample) + ",1\n";
  for (int step = 0; step < 30'000; ++step) text += "30000,1\n";
  expect_error(ErrorKind::data, {"own.csv", "GiB of memory", "sequences of similar lengths"},
               [&] { csv(text); });
}

TEST_F(SequenceFiles, LargeNumbersOfSequencesAreToldApart) {
  EXPECT_EQ(csv("sequence,input\n9007199254740990,1\n9007199254740991,2\n").inputs.size(0), 2);
  EXPECT_EQ(csv("sequence,input,step\n1,1,9007199254740993\n").inputs.size(0), 1);
}

TEST_F(SequenceFiles, CsvAndHdf5OfTheSameSequencesAreEqual) {
  const SequenceFile text = csv("sequence,input,target\n0,1,2\n0,3,4\n1,5,6\n");
  const SequenceFile binary =
      hdf5({{"inputs", text.inputs}, {"targets", text.targets}, {"lengths", integers({2, 1})}});
  expect_same(binary.inputs, text.inputs, "inputs");
  expect_same(binary.targets, text.targets, "targets");
  expect_same(binary.lengths, text.lengths, "lengths");
}

TEST_F(SequenceFiles, WhatHdf5HoldsBeyondALengthDoesNotCount) {
  const at::Tensor inputs = at::rand({2, 3, 1}) + 1, targets = at::rand({2, 3, 1}) + 1;
  at::Tensor padded = inputs.clone(), traces = targets.clone();
  padded[1][1][0] = std::numeric_limits<double>::quiet_NaN();
  padded[1][2][0] = 7;
  traces[1][2][0] = std::numeric_limits<double>::infinity();
  const SequenceFile file =
      hdf5({{"inputs", padded}, {"targets", traces}, {"lengths", integers({3, 1})}});
  at::Tensor mask = at::ones({2, 3, 1});
  mask[1].narrow(0, 1, 2).zero_();
  expect_same(file.inputs, inputs * mask, "inputs");
  expect_same(file.targets, targets * mask, "targets");
}

TEST_F(SequenceFiles, ClassesAndSequencesMayHaveNames) {
  const SequenceFile file =
      csv("sequence,input,label\ncell B,1,right\ncell B,2,right\n\"A, left\",3,left\n7,4,up\n");
  EXPECT_EQ(file.class_names, (std::vector<std::string>{"left", "right", "up"}));
  expect_same(file.labels, integers({1, 0, 2}), "labels");
  EXPECT_EQ(file.names, (std::vector<std::string>{"cell B", "A, left", "7"}));
  EXPECT_EQ(csv("sequence,input\n1000,1\n1001,2\n").names,
            (std::vector<std::string>{"1000", "1001"}));
  testing::expect_error(ErrorKind::data, {"line 3: column 'label' holds up; expected one text"},
                        [&] { csv("sequence,input,label\n1,0,left\n1,0,up\n"); });
  testing::expect_error(ErrorKind::data, {"line 4: sequence a appears again"},
                        [&] { csv("sequence,input\na,0\nb,0\na,0\n"); });
}

TEST_F(SequenceFiles, LabelsMayBeAColumnOrARow) {
  const at::Tensor inputs = at::ones({3, 2, 1});
  for (const at::Tensor& labels :
       {integers({2, 0, 1}).unsqueeze(1), integers({2, 0, 1}).unsqueeze(0)}) {
    expect_same(hdf5({{"inputs", inputs}, {"labels", labels}}).labels, integers({2, 0, 1}),
                "labels");
  }
}

TEST_F(SequenceFiles, TargetsOfHdf5MayBeUnknown) {
  at::Tensor targets = at::ones({2, 3, 2});
  targets[0][1][0] = targets[1][2][1] = std::numeric_limits<float>::quiet_NaN();
  const SequenceFile file = hdf5({{"inputs", at::ones({2, 3, 1})}, {"targets", targets}});
  EXPECT_TRUE(file.targets.isnan().equal(targets.isnan()));
}

TEST_F(SequenceFiles, DamagedHdf5IsRefused) {
  struct Bad {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    std::vector<std::string> parts;
  };
  const at::Tensor inputs = at::ones({3, 4, 2});
  at::Tensor infinite = inputs.clone(), missing = at::ones({3, 4, 1});
  at::Tensor unknown = at::ones({3, 4, 1});
  unknown[1][0][0] = std::numeric_limits<double>::quiet_NaN();
  infinite[2][3][1] = std::numeric_limits<double>::infinity();
  missing[0][1][0] = std::numeric_limits<double>::infinity();
  const std::vector<Bad> table = {
      {{{"input", inputs}}, {"there is no /inputs; found /input"}},
      {{{"inputs", at::ones({3, 4})}}, {"2 dimensions", "[samples, steps, features]"}},
      {{{"inputs", at::ones({0, 4, 2})}}, {"0 values", "[samples, steps, features]"}},
      {{{"inputs", infinite}}, {"inputs[2, 3, 1] is not finite"}},
      {{{"inputs", 1e300 * inputs.to(at::kDouble)}}, {"inputs[0, 0, 0] is not finite"}},
      {{{"inputs", inputs}, {"targets", missing}}, {"targets[0, 1, 0] is not finite"}},
      {{{"inputs", inputs}, {"targets", unknown}, {"lengths", integers({4, 1, 4})}},
       {"all targets of sample 1 are unknown"}},
      {{{"inputs", inputs}, {"targets", at::ones({3, 5, 1})}},
       {"targets", "expected [3, 4, outputs]"}},
      {{{"inputs", inputs}, {"targets", at::ones({3, 4})}},
       {"targets", "expected [3, 4, outputs]"}},
      {{{"inputs", inputs}, {"targets", at::ones({3, 4, 0})}},
       {"targets", "expected [3, 4, outputs]"}},
      {{{"inputs", inputs}, {"labels", integers({1, 2})}}, {"labels has 2 values", "3 samples"}},
      {{{"inputs", inputs}, {"labels", at::ones({3, 2})}},
       {"labels has 6 values in shape [3, 2]", "3 samples"}},
      {{{"inputs", inputs}, {"labels", integers({1, 2, -1})}},
       {"labels of sample 2 is -1", "expected 0"}},
      {{{"inputs", inputs}, {"labels", at::tensor({0.0, 1.5, 2.0})}},
       {"/labels[1] is 1.5", "a whole number"}},
      {{{"inputs", inputs}, {"labels", infinite[2].flatten().narrow(0, 5, 3)}},
       {"/labels[2] is inf", "a whole number"}},
      {{{"inputs", inputs}, {"labels", integers({0, 1, 2})}, {"targets", at::ones({3, 4, 1})}},
       {"both labels and targets"}},
      {{{"inputs", inputs}, {"lengths", integers({4, 5, 1})}},
       {"lengths of sample 1 is 5", "1 to 4"}},
      {{{"inputs", inputs}, {"lengths", integers({4, 4, 0})}},
       {"lengths of sample 2 is 0", "1 to 4"}},
      {{{"inputs", inputs}, {"lengths", integers({4})}}, {"lengths has 1 values", "3 samples"}},
      {{{"inputs", inputs}, {"split", integers({0, 3, 1})}}, {"split of sample 1 is 3", "0 to 2"}}};
  for (const Bad& bad : table) {
    for (const std::string& part : bad.parts) {
      expect_error(ErrorKind::data, {"own.h5", part}, [&] { hdf5(bad.tensors); });
    }
  }
}

TEST_F(SequenceFiles, DamagedCsvIsRefused) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "names of the columns"},
      {"sequence,input\n", "there are no rows"},
      {"input\n1\n", "there is no column 'sequence'"},
      {"sequence,label\n1,0\n", "starts with 'input'"},
      {"sequence,input,output\n1,0,0\n", "column 'output' is not known"},
      {"sequence,input\n1,one\n", "line 2, column 2 ('input'): found 'one'"},
      {"sequence,input\n1,0\n2\n", "line 3: found 1 columns, expected 2"},
      {"sequence,input\n1,0,5\n", "line 2: found more than 2 columns"},
      {"sequence,input\n1,nan\n", "line 2, column 2"},
      {"sequence,input\n1,0\n1,1e300\n",
       "line 3, column 2 ('input'): found 1e+300, expected at most 3.4"},
      {"sequence,input,target\n1,0,-4e38\n", "line 2, column 3 ('target'): found -4e+38"},
      {"sequence,input,\x1b[31mred\n1,0,0\n", "column '\\x1b[31mred' is not known"},
      {"sequence,input\n1,0\n9007199254740993,0\n",
       "line 3, column 1 ('sequence'): found '9007199254740993', expected a number below 2^53"},
      {"input,sequence\n0,-1e300\n", "line 2, column 2 ('sequence'): found '-1e300'"},
      {"sequence,input\n1,0\n2,0\n1,0\n", "line 4: sequence 1 appears again"},
      {"sequence,input,label\n1,0,2\n1,0,3\n", "line 3: column 'label' holds 3"},
      {"sequence,input,label\n1,0,0.5\n", "line 2: column 'label' holds 0.5"},
      {"sequence,input,label\n1,0,-2\n", "labels of sample 0 is -2"},
      {"sequence,input,split\n1,0,0\n2,0,5\n", "split of sample 1 is 5"},
      {"sequence,input,label,target\n1,0,1,1\n", "both labels and targets"}};
  for (const auto& [text, part] : table) {
    expect_error(ErrorKind::data, {"own.csv", part}, [&, content = text] { csv(content); });
  }
}

TEST_F(SequenceFiles, FilesThatAreNotThereOrOfAnotherFormatAreRefused) {
  expect_error(ErrorKind::data, {"nowhere.h5"},
               [&] { read_sequence_file(directory_ / "nowhere.h5"); });
  expect_error(ErrorKind::data, {}, [&] { read_sequence_file(directory_.path()); });
  expect_error(ErrorKind::data, {"own.csv"}, [&] { csv(std::string(100, '\0')); });
  // The signature alone, and a file cut short.
  expect_error(ErrorKind::data, {"own.csv"}, [&] { csv("\x89HDF\r\n\x1a\n"); });
  hdf5({{"inputs", at::rand({30, 40, 20})}});
  const std::string whole = testing::slurp(directory_ / "own.h5");
  expect_error(ErrorKind::data, {"own.csv"},
               [&] { csv(std::string_view(whole).substr(0, whole.size() / 2)); });
}

}  // namespace
}  // namespace afterspike::tasks
