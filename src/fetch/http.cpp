#include "http.hpp"

#include <curl/curl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

#include "afterspike/base/error.hpp"

namespace afterspike::fetch {
namespace {

constexpr long kConnectSeconds = 10;
constexpr long kSlowestBytesPerSecond = 1000;
constexpr long kSlowSeconds = 30;
constexpr long kRedirects = 5;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct CleanUp {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

struct Download {
  std::unique_ptr<std::FILE, CloseFile> file;
  std::int64_t limit;
  std::int64_t received = 0;
  bool too_long = false;
  int write_error = 0;
};

/// libcurl's callback for each piece of data; returning a number other than `size` ends the
/// transfer.
std::size_t on_data(char* data, std::size_t, std::size_t size, void* user) {
  auto& download = *static_cast<Download*>(user);
  download.received += static_cast<std::int64_t>(size);
  download.too_long = download.received > download.limit;
  if (download.too_long) return 0;
  const std::size_t written = std::fwrite(data, 1, size, download.file.get());
  if (written != size) download.write_error = errno;
  return written;
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  require(code == CURLE_OK, ErrorKind::internal, "libcurl refuses option {}: {}",
          static_cast<int>(option), curl_easy_strerror(code));
}

std::unique_ptr<CURL, CleanUp> new_handle(const std::string& url) {
  // Once per process, also with threads: initialisation of a static variable.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(initialised == CURLE_OK, ErrorKind::internal, "libcurl cannot be initialised");
  std::unique_ptr<CURL, CleanUp> handle(curl_easy_init());
  require(handle != nullptr, ErrorKind::internal, "libcurl cannot be initialised");
  const bool secure = url.starts_with("https:");
  set(handle.get(), CURLOPT_URL, url.c_str());
  set(handle.get(), CURLOPT_PROTOCOLS_STR, secure ? "https" : "http,https");
  set(handle.get(), CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  set(handle.get(), CURLOPT_FOLLOWLOCATION, 1L);
  set(handle.get(), CURLOPT_MAXREDIRS, kRedirects);
  set(handle.get(), CURLOPT_FAILONERROR, 1L);
  set(handle.get(), CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(handle.get(), CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerSecond);
  set(handle.get(), CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
  set(handle.get(), CURLOPT_USERAGENT, "afterspike");
  // Otherwise libcurl would time out name look-ups by a signal, which a library must not use.
  set(handle.get(), CURLOPT_NOSIGNAL, 1L);
  return handle;
}

}  // namespace

void download(const std::string& url, const std::filesystem::path& target, std::int64_t limit) {
  const auto handle = new_handle(url);
  Download download{.file = {std::fopen(target.c_str(), "wbe"), {}}, .limit = limit};
  require(download.file != nullptr, ErrorKind::data, "'{}' cannot be written: {}", target.string(),
          std::generic_category().message(errno));
  std::array<char, CURL_ERROR_SIZE> detail{};
  set(handle.get(), CURLOPT_ERRORBUFFER, detail.data());
  set(handle.get(), CURLOPT_WRITEFUNCTION, &on_data);
  set(handle.get(), CURLOPT_WRITEDATA, static_cast<void*>(&download));

  const CURLcode code = curl_easy_perform(handle.get());
  require(!download.too_long, ErrorKind::data,
          "'{}': found more than the {} bytes expected at most", url, limit);
  const bool flushed = std::fclose(download.file.release()) == 0;
  const int write_error = flushed ? download.write_error : errno;
  require(write_error == 0, ErrorKind::data, "'{}' cannot be written: {}", target.string(),
          std::generic_category().message(write_error));
  require(code == CURLE_OK, ErrorKind::data, "'{}': {}", url,
          detail[0] != '\0' ? detail.data() : curl_easy_strerror(code));
}

}  // namespace afterspike::fetch
