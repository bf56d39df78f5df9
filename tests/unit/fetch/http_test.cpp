#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "fetch/http.hpp"
#include "unit/fetch/small_set.hpp"
#include "unit/fetch/web_server.hpp"

namespace afterspike::fetch {
namespace {

using datasets::Source;
using test_files::Bytes;
using test_files::data_error_of;
using test_files::Environment;
using test_files::Fetching;
using test_files::Folder;
using test_files::gzip;
using test_files::SmallSet;
using test_files::WebServer;
using test_files::write;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Answers = std::map<std::string, std::string>;

/// Answers with the files of the set, gzipped.
Answers good_answers() {
  const SmallSet set;
  Answers answers;
  for (std::size_t file = 0; file < 3; ++file) {
    answers[fmt::format("/{}.gz", SmallSet::kNames[file])] =
        WebServer::answer(gzip(set.content(file)));
  }
  return answers;
}

class HttpTest : public ::testing::Test {
 protected:
  static Source at(const WebServer& server) {
    return {.kind = Source::Kind::https, .location = server.location()};
  }

 private:
  Environment no_proxy_{"no_proxy", "127.0.0.1"};  // some machines have one for all addresses
};

TEST_F(HttpTest, DownloadsTheGzippedFiles) {
  const WebServer server(good_answers());
  const SmallSet set({at(server)});
  Fetching fetching;
  EXPECT_EQ(fetching(set).source, server.location());
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first.gz", "small/second.gz", "small/third.gz"));
  EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
}

TEST_F(HttpTest, FollowsRedirects) {
  Answers answers = good_answers();
  answers["/elsewhere"] = answers["/first.gz"];
  answers["/first.gz"] =
      "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: "
      "close\r\n\r\n";
  const WebServer server(answers);
  Fetching fetching;
  EXPECT_NO_THROW(fetching(SmallSet({at(server)})));
}

TEST_F(HttpTest, NeverReadsAFileOfThisMachine) {
  const Folder folder;
  write(folder / "secret", {1, 2, 3});
  const std::string address = "file://" + (folder / "secret").string();
  EXPECT_THAT(data_error_of([&] { download(address, folder / "copy", 100); }), HasSubstr(address));

  const WebServer server({{"/", "HTTP/1.1 302 Found\r\nLocation: " + address +
                                    "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"}});
  data_error_of([&] { download(server.location() + "/", folder / "copy", 100); });
  EXPECT_THAT(test_files::read(folder / "copy"), IsEmpty());
}

TEST_F(HttpTest, RefusesWhatIsNotTheFile) {
  const SmallSet good;
  const Bytes packed = gzip(good.content(0));
  Bytes flipped = good.content(0);
  flipped[9] ^= 1;
  const struct {
    std::string answer, message;
  } cases[] = {
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "404"},
      {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "503"},
      {WebServer::answer(packed, packed.size() + 5), "5 bytes remaining"},
      {WebServer::answer(Bytes(20'000)), "found more than the 9146 bytes expected at most"},
      {WebServer::answer(gzip(flipped)), "/first.gz': found SHA-256 " + io::sha256(flipped)},
      {WebServer::answer(gzip(good.content(1))), "/first.gz': found 8 bytes (decompressed)"},
      {WebServer::answer({'<', 'h', 't', 'm', 'l', '>'}), "/first.gz': found 6 bytes"},
      {WebServer::answer(Bytes(packed.begin(), packed.end() - 3)), "/first.gz': offset "},
      {"", "mpty reply"},
  };
  for (const auto& bad : cases) {
    Answers answers = good_answers();
    answers["/first.gz"] = bad.answer;
    const WebServer server(answers);
    const SmallSet set({at(server)});
    Fetching fetching;
    EXPECT_THAT(data_error_of([&] { fetching(set); }),
                AllOf(HasSubstr(server.location() + ": first: "), HasSubstr(bad.message)));
    EXPECT_THAT(fetching.there(), IsEmpty()) << bad.message;
    EXPECT_EQ(server.requests(), 1) << "it is not worth trying the other files";
  }
}

TEST_F(HttpTest, SaysThatNobodyAnswers) {
  std::string nobody;
  {
    const WebServer server({});
    nobody = server.location();
  }
  const SmallSet set({{.kind = Source::Kind::https, .location = nobody}});
  Fetching fetching;
  EXPECT_THAT(data_error_of([&] { fetching(set); }),
              AllOf(HasSubstr(nobody + ": first: "), HasSubstr("onnect")));
}

TEST_F(HttpTest, TheNextPlaceServesWhatTheFirstDoesNot) {
  Answers damaged = good_answers();
  damaged["/second.gz"] = WebServer::answer(gzip(Bytes(8)));
  const WebServer first(damaged), second(good_answers());
  const SmallSet set({at(first), at(second)});
  Fetching fetching;
  EXPECT_EQ(fetching(set).source, first.location() + " and " + second.location());
  EXPECT_EQ(second.requests(), 2);
  EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
}

TEST_F(HttpTest, SeveralAtATimeDownloadOnce) {
  const WebServer server(good_answers());
  const SmallSet set({at(server)});
  const Folder data;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        EXPECT_NO_THROW(
            fetch(set.entry(), {.data_directory = data.path(), .from = {}, .report = {}}));
      });
    }
  }
  EXPECT_EQ(server.requests(), 3);
  EXPECT_NO_THROW(datasets::verify(set.entry(), data.path()));
}

}  // namespace
}  // namespace afterspike::fetch
