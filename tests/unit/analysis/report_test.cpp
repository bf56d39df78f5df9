#include "afterspike/analysis/report.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/analysis/silencing_files.hpp"
#include "afterspike/report/page.hpp"
#include "analysis/report_parts.hpp"
#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using ::testing::Contains;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::TempDir;
using testing::write_run;

report::Document make(const ReportRequest& request, int threads = 1) {
  ThreadPool pool(threads);
  return make_report(request, pool, [](const std::string&) {});
}

ReportRequest request_of(const TempDir& directory, const std::vector<const char*>& runs) {
  ReportRequest request;
  for (const char* run : runs) request.groups.push_back(find_runs((directory / run).string()));
  request.command = {"afterspike", "report", "a b"};
  return request;
}

const report::Section* find_section(const report::Document& document, const std::string& id) {
  for (const report::Section& section : document.sections) {
    if (section.id == id) return &section;
  }
  return nullptr;
}

std::vector<std::string> ids_of(const report::Document& document) {
  std::vector<std::string> ids;
  for (const report::Section& section : document.sections) {
    for (const report::Block& block : section.blocks) {
      std::visit(
          [&](const auto& own) {
            if constexpr (requires { own.id; }) ids.push_back(own.id);
          },
          block);
    }
  }
  return ids;
}

std::vector<std::string> notes_of(const report::Document& document) {
  std::vector<std::string> notes;
  for (const report::Section& section : document.sections) {
    for (const report::Block& block : section.blocks) {
      if (const auto* note = std::get_if<report::Note>(&block)) notes.push_back(note->text);
    }
  }
  return notes;
}

const report::Chart& chart(const report::Document& document, const std::string& id) {
  for (const report::Section& section : document.sections) {
    for (const report::Block& block : section.blocks) {
      const auto* own = std::get_if<report::Chart>(&block);
      if (own != nullptr && own->id == id) return *own;
    }
  }
  throw std::runtime_error("no chart " + id);
}

TEST(Histograms, ArePartsOfAllInSharedBins) {
  const auto found = histograms({{"a", {0, 0, 1, 10}, 0, false}, {"b", {5}, 1, false}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].x, found[1].x);
  for (const report::Series& series : found) {
    EXPECT_NEAR(std::accumulate(series.y.begin(), series.y.end(), 0.0), 100, 1e-9);
    EXPECT_EQ(series.y.front(), 0);
    EXPECT_EQ(series.y.back(), 0);
  }
  EXPECT_EQ(found[0].y[1], 50) << "two zeros of four";
  EXPECT_EQ(found[0].y[40], 25) << "the largest is in the last bin";
}

TEST(Histograms, OfOneValueAndOfPowersAreFine) {
  const auto constant = histograms({{"a", {2, 2}, 0, false}});
  EXPECT_NEAR(std::accumulate(constant[0].y.begin(), constant[0].y.end(), 0.0), 100, 1e-9);
  const auto powers = histograms({{"a", {1, 100}, 0, false}}, true);
  EXPECT_NEAR(powers[0].x[20] * powers[0].x[21], 100, 1e-6) << "the middle of 1 and 100 is 10";
}

TEST(Report, ShowsARunOfTracesWithEverySection) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  const report::Document document = make(request_of(directory, {"a"}));
  for (const char* id : {"results", "training", "answers", "silencing", "parameters", "clusters",
                         "network", "record"}) {
    EXPECT_NE(find_section(document, id), nullptr) << id;
  }
  const auto ids = ids_of(document);
  for (const char* id : {"answers-0", "silencing-0", "parameter-threshold", "clusters-scatter",
                         "clusters-tree", "fi-0", "step-voltage-0", "step-after-spike-current-1-0",
                         "raster-0", "spectrum-0", "timescales-0", "saliency-0", "configuration"}) {
    EXPECT_THAT(ids, Contains(id));
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size()) << "ids are unique";
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("no metrics.csv")));
}

TEST(Report, IsTheSameForAnyNumberOfThreads) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  const ReportRequest request = request_of(directory, {"a"});
  EXPECT_EQ(report::page(make(request, 1)), report::page(make(request, 3)));
}

TEST(Report, ComparesRunsOfSeveralModels) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  write_run(directory / "b", "gru");
  const report::Document document = make(request_of(directory, {"a", "b"}));
  EXPECT_THAT(document.title, HasSubstr("gru on sine_generation"));
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("Neurons are not clustered")));
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("f-I curves")));
  EXPECT_THAT(ids_of(document), Contains("comparisons-0"));
  const report::Chart& curves = chart(document, "silencing-0");
  ASSERT_EQ(curves.series.size(), 2U);
  EXPECT_EQ(curves.series[0].x, (std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1}));
  EXPECT_NE(curves.series[0].color, curves.series[1].color);
}

TEST(Report, TakesAStudyOfTheseRunsAndRefusesOthers) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  write_run(directory / "b", "glifr", {}, 2, testing::vary);
  Study study;
  study.protocol.levels = {0, 0.5};
  study.protocol.trials = 2;
  study.names.groups = {find_runs((directory / "a").string())};
  study.subjects = {testing::subject_of(directory / "a")};
  study.names.classifies = false;
  ThreadPool pool(1);
  run_study(study, directory / "study", pool, [](std::size_t, std::size_t) { return true; });
  ReportRequest request = request_of(directory, {"a"});
  request.studies = {directory / "study"};
  const report::Document document = make(request);
  const report::Chart& curves = chart(document, "silencing-0");
  EXPECT_EQ(curves.series[0].x, (std::vector<double>{0, 0.5}));
  EXPECT_THAT(curves.caption, HasSubstr("2 trials"));

  request = request_of(directory, {"b"});
  request.studies = {directory / "study"};
  expect_error(ErrorKind::config, {"study", "other runs"}, [&] { make(request); });
  request.studies = {directory / "a"};
  expect_error(ErrorKind::config, {"'", "holds neither"}, [&] { make(request); });
}

TEST(Report, SaysThatDataAreMissingAndShowsTheRest) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  ReportRequest request = request_of(directory, {"a"});
  request.split = tasks::Split::validation;  // This task has none: nothing can be evaluated.
  const report::Document document = make(request);
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("its data cannot be had")));
  EXPECT_EQ(find_section(document, "answers"), nullptr);
  EXPECT_EQ(find_section(document, "silencing"), nullptr);
  EXPECT_THAT(ids_of(document), Contains("clusters-scatter"));
  EXPECT_THAT(ids_of(document), Contains("fi-0"));
}

TEST(Report, OfOneNeuronHasNoClusters) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {{"network.hidden", "1"}});
  const report::Document document = make(request_of(directory, {"a"}));
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("Neurons are not clustered")));
  EXPECT_THAT(ids_of(document), Contains("fi-0"));
}

TEST(Report, RefusesParametersThatAreNotFiniteAndDamagedFiles) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, [](nn::Network& network) {
    const at::NoGradGuard no_grad;
    network.layer(0)->raw("threshold")[3] = std::nan("");
  });
  expect_error(ErrorKind::numeric, {"layers.0.threshold", "not finite"},
               [&] { make(request_of(directory, {"a"})); });
  const auto checkpoints = directory / "b" / "checkpoints";
  std::filesystem::create_directories(checkpoints);
  write_run(checkpoints / "step-000000001", "glifr", {}, 1, testing::vary);
  testing::spill(directory / "b" / "latest", "step-000000001\n");
  testing::spill(directory / "b" / "metrics.csv", "epoch,train_loss\n1,fast\n");
  expect_error(ErrorKind::data, {"metrics.csv", "line 2", "'fast'"},
               [&] { make(request_of(directory, {"b"})); });
}

TEST(Report, QuotesCommandsForAShell) {
  const TempDir directory;
  write_run(directory / "it's", "gru");
  const report::Document document = make(request_of(directory, {"it's"}));
  const report::Section* record = find_section(document, "record");
  ASSERT_NE(record, nullptr);
  std::string commands;
  for (const report::Block& block : record->blocks) {
    if (const auto* code = std::get_if<report::Code>(&block)) commands += code->text + "\n";
  }
  EXPECT_THAT(commands, HasSubstr("it'\\''s'"));
  EXPECT_THAT(commands, HasSubstr("afterspike report 'a b'"));
}

}  // namespace
}  // namespace afterspike::analysis
