#include "afterspike/experiment/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/io/safetensors.hpp"
#include "small_checkpoint.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::experiment {
namespace {

namespace fs = std::filesystem;

using testing::content_of;
using testing::expect_error;
using testing::small_network;

void expect_same_tensors(const nn::NamedTensors& found, const nn::NamedTensors& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    testing::expect_same(found.at(name), tensor, name);
  }
}

TEST(Checkpoint, GivesEverythingBackBitForBit) {
  const testing::TempDir directory;
  const auto network = small_network();
  const Checkpoint written = content_of(*network);
  write_checkpoint(directory / "a" / "b", written);
  const Checkpoint read = read_checkpoint(directory / "a" / "b");
  EXPECT_EQ(read.configuration, written.configuration);
  EXPECT_EQ(read.progress, written.progress);
  EXPECT_EQ(read.parameters, written.parameters);
  expect_same_tensors(read.model, written.model);
  expect_same_tensors(read.training, written.training);
}

TEST(Checkpoint, KeepsEveryTypeShapeAndBitPattern) {
  const testing::TempDir directory;
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  Checkpoint written = content_of(*small_network());
  written.training = {{"denormal", at::full({1}, 1e-320, at::kDouble)},
                      {"infinite", at::full({2, 1}, -kInfinite)},
                      {"minus zero", at::full({}, -0.0)},
                      {"empty", at::zeros({0, 3})},
                      {"bytes", at::arange(256).to(at::kByte)},
                      {"long", at::full({1}, std::numeric_limits<std::int64_t>::min(), at::kLong)}};
  write_checkpoint(directory / "c", written);
  const auto read = read_checkpoint(directory / "c").training;
  expect_same_tensors(read, written.training);
  EXPECT_TRUE(std::signbit(read.at("minus zero").item<float>()));
  written.training = {{"transposed", at::arange(6).view({2, 3}).t()}};
  write_checkpoint(directory / "d", written);
  expect_same_tensors(read_checkpoint(directory / "d").training, written.training);
  written.training = {{"nan", at::full({3}, std::numeric_limits<double>::quiet_NaN())}};
  write_checkpoint(directory / "e", written);
  EXPECT_TRUE(read_checkpoint(directory / "e").training.at("nan").isnan().all().item<bool>());
}

TEST(Checkpoint, OfAReleasedModelHasNoTrainingState) {
  const testing::TempDir directory;
  Checkpoint written = content_of(*small_network());
  written.training.clear();
  write_checkpoint(directory / "released", written);
  EXPECT_FALSE(fs::exists(directory / "released" / "training.safetensors"));
  EXPECT_TRUE(read_checkpoint(directory / "released").training.empty());
}

TEST(Checkpoint, ReplacesNothing) {
  const testing::TempDir directory;
  Checkpoint content = content_of(*small_network());
  write_checkpoint(directory / "c", content);
  content.progress["step"] = 4;
  expect_error(ErrorKind::data, {"exists already"},
               [&] { write_checkpoint(directory / "c", content); });
  EXPECT_NE(read_checkpoint(directory / "c").progress.at("step"), 4);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()), 1);
}

TEST(Checkpoint, IsTheSameBytesForTheSameContent) {
  const testing::TempDir directory;
  const Checkpoint content = content_of(*small_network());
  write_checkpoint(directory / "a", content);
  write_checkpoint(directory / "b", content);
  for (const char* file : {"manifest.json", "model.safetensors", "training.safetensors"}) {
    EXPECT_EQ(testing::slurp(directory / "a" / file), testing::slurp(directory / "b" / file));
  }
}

TEST(Checkpoint, CannotBeSavedWhereThereIsNoPlace) {
  const testing::TempDir directory;
  testing::spill(directory / "file", "");
  expect_error(ErrorKind::data, {"file/.c.", "cannot be"},
               [&] { write_checkpoint(directory / "file" / "c", content_of(*small_network())); });
}

TEST(Checkpoint, OfParametersThatMeanSomethingElseIsRefused) {
  const auto network = small_network();
  const io::Json table = describe_parameters(*network);
  EXPECT_NO_THROW(require_same_parameters(table, *network));
  const auto name = table[0].at("name").get<std::string>();
  for (const auto& [key, value] : std::map<std::string, io::Json>{{"unit", "furlong"},
                                                                  {"transform", "scaled(3)"},
                                                                  {"group", "bias"},
                                                                  {"trainable", false},
                                                                  {"shape", {7}}}) {
    io::Json changed = table;
    changed[0][key] = value;
    expect_error(ErrorKind::checkpoint, {name, key + ": found " + value.dump(), "another model"},
                 [&] { require_same_parameters(changed, *network); });
    changed[0].erase(key);
    expect_error(ErrorKind::checkpoint, {name, key + ": found null"},
                 [&] { require_same_parameters(changed, *network); });
  }
  io::Json fewer = table;
  fewer.erase(0);
  expect_error(ErrorKind::checkpoint, {name, "is missing"},
               [&] { require_same_parameters(fewer, *network); });
  io::Json more = table;
  more.push_back({{"name", "layers.9.extra"}});
  expect_error(ErrorKind::checkpoint, {"parameters, expected"},
               [&] { require_same_parameters(more, *network); });
  expect_error(ErrorKind::checkpoint, {"'parameters'", "expected a list"},
               [&] { require_same_parameters(io::Json(3), *network); });
  io::Json drawn_otherwise = table;
  drawn_otherwise[0]["initial"] = "uniform(0, 1)";
  EXPECT_NO_THROW(require_same_parameters(drawn_otherwise, *network));
}

TEST(Checkpoint, DescribesTheParametersOfTheNetwork) {
  const auto network = small_network();
  const io::Json table = describe_parameters(*network);
  const auto parameters = network->named();
  ASSERT_EQ(table.size(), parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(table[i].at("name"), parameters[i].name);
    EXPECT_EQ(table[i].at("symbol"), parameters[i].spec->symbol);
    EXPECT_EQ(table[i].at("unit"), parameters[i].spec->unit);
    EXPECT_EQ(table[i].at("trainable"), parameters[i].spec->trainable);
    EXPECT_EQ(table[i].at("shape").get<std::vector<std::int64_t>>(),
              parameters[i].tensor.sizes().vec());
  }
  EXPECT_EQ(table[0].at("name"), "layers.0.threshold");
  EXPECT_EQ(table[0].at("unit"), "mV");
}

TEST(Assign, GivesAnotherNetworkTheSameParameters) {
  for (const nn::NeuronEntry& neuron : nn::entries()) {
    const auto one = small_network(std::string(neuron.name), 3, 1);
    const auto other = small_network(std::string(neuron.name), 3, 2);
    assign(model_tensors(*one), *other);
    expect_same_tensors(model_tensors(*other), model_tensors(*one));
    const at::Tensor input = at::ones({4, 2, 2});
    EXPECT_TRUE(at::equal(one->forward(input), other->forward(input))) << neuron.name;
  }
}

TEST(Assign, CopiesAndDoesNotShare) {
  const auto network = small_network();
  const nn::NamedTensors before = model_tensors(*network);
  const at::NoGradGuard no_grad;
  for (const auto& parameter : network->named()) at::Tensor(parameter.tensor).fill_(7);
  for (const auto& [name, tensor] : before) EXPECT_FALSE(tensor.eq(7).any().item<bool>()) << name;
}

TEST(Assign, RefusesAnotherModelAndCopiesNothing) {
  const auto network = small_network("glifr");
  const nn::NamedTensors own = model_tensors(*network);
  nn::NamedTensors missing = model_tensors(*small_network("glifr", 3, 2));
  nn::NamedTensors unknown = missing, reshaped = missing;
  missing.erase("readout.bias");
  unknown["readout.scale"] = at::ones({2});
  reshaped["readout.weight"] = at::ones({3, 2});
  struct Case {
    nn::NamedTensors model;
    std::vector<std::string> message;
  };
  const std::vector<Case> cases = {
      {missing, {"'readout.bias' is missing", "belongs to another model"}},
      {unknown, {"'readout.scale' is not known", "belongs to another model"}},
      {reshaped, {"'readout.weight'", "found shape [3, 2], expected [2, 3]"}},
      {model_tensors(*small_network("glifr", 4)), {"found shape", "expected"}},
      {model_tensors(*small_network("gru")), {"is missing", "belongs to another model"}},
      {{}, {"'layers.0.threshold' is missing", "belongs to another model"}},
  };
  for (const Case& c : cases) {
    expect_error(ErrorKind::checkpoint, {c.message[0], c.message[1]},
                 [&] { assign(c.model, *network); });
    expect_same_tensors(model_tensors(*network), own);
  }
}

}  // namespace
}  // namespace afterspike::experiment
