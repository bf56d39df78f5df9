#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "afterspike/io/json.hpp"

namespace afterspike::testing {

/// A headless Chromium, controlled by its DevTools protocol through a pipe. It shows one page.
class Browser {
 public:
  /// Returns the path of Chromium; nullopt if it is not installed.
  static std::optional<std::string> program() {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::string path = std::string("/usr/bin/") + name;
      if (std::filesystem::exists(path)) return path;
    }
    return std::nullopt;
  }

  /// Keeps its profile in `directory`.
  explicit Browser(const std::filesystem::path& directory) {
    std::array<int, 2> to{}, from{};
    if (::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe failed");
    }
    std::vector<std::string> words = {*program(),
                                      "--headless=new",
                                      "--disable-gpu",
                                      "--hide-scrollbars",
                                      "--no-first-run",
                                      "--disable-background-networking",
                                      "--disable-component-update",
                                      "--remote-debugging-pipe",
                                      "--user-data-dir=" + (directory / "profile").string()};
    if (::geteuid() == 0) words.emplace_back("--no-sandbox");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) become(words, to[0], from[1], directory);
    ::close(to[0]);
    ::close(from[1]);
    to_ = to[1];
    from_ = from[0];
    const io::Json target = call("Target.createTarget", {{"url", "about:blank"}});
    session_ = call("Target.attachToTarget", {{"targetId", target["targetId"]}, {"flatten", true}})
                   .at("sessionId")
                   .get<std::string>();
    for (const char* domain : {"Page", "Runtime", "Log", "Network"}) {
      call(std::string(domain) + ".enable");
    }
  }
  ~Browser() {
    ::close(to_);
    ::close(from_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  io::Json call(const std::string& method, const io::Json& parameters = io::Json::object()) {
    io::Json message = {{"id", ++last_}, {"method", method}, {"params", parameters}};
    if (!session_.empty()) message["sessionId"] = session_;
    const std::string text = message.dump() + '\0';
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(to_, text.data() + done, text.size() - done);
      if (count <= 0) throw std::runtime_error("the browser has ended");
      done += static_cast<std::size_t>(count);
    }
    while (true) {
      io::Json answer = next();
      if (!answer.contains("id")) {
        events_.push_back(std::move(answer));
      } else if (answer["id"] == last_) {
        if (answer.contains("error")) throw std::runtime_error(method + ": " + answer.dump());
        return answer.value("result", io::Json::object());
      }
    }
  }

  /// Opens a file in a window of this size and waits until it is loaded.
  void open(const std::filesystem::path& file, int width, int height = 900) {
    call("Emulation.setDeviceMetricsOverride",
         {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
    const std::size_t before = events_.size();
    call("Page.navigate", {{"url", "file://" + file.string()}});
    wait_for("Page.loadEventFired", before);
  }

  void prefer_dark(bool dark) {
    call("Emulation.setEmulatedMedia",
         {{"features", io::Json::array({{{"name", "prefers-color-scheme"},
                                         {"value", dark ? "dark" : "light"}}})}});
  }

  /// Lays out the page for paper.
  void print_media() { call("Emulation.setEmulatedMedia", {{"media", "print"}}); }

  /// Returns the value of an expression of the page.
  io::Json evaluate(const std::string& expression) {
    const io::Json answer =
        call("Runtime.evaluate",
             {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
    if (answer.contains("exceptionDetails")) throw std::runtime_error(answer.dump());
    return answer.at("result").value("value", io::Json());
  }

  /// Moves the mouse to the middle of an element (an expression), after scrolling there; clicks.
  void point(const std::string& element, bool click) {
    const io::Json at =
        evaluate("(() => { const e = " + element +
                 "; e.scrollIntoView({block: 'center', behavior: 'instant'}); const r = "
                 "e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()");
    const auto send = [&](const char* type, int buttons) {
      call("Input.dispatchMouseEvent", {{"type", type},
                                        {"x", at[0]},
                                        {"y", at[1]},
                                        {"button", buttons > 0 ? "left" : "none"},
                                        {"clickCount", buttons}});
    };
    send("mouseMoved", 0);
    if (!click) return;
    send("mousePressed", 1);
    send("mouseReleased", 1);
  }

  void press(const std::string& key) {
    call("Input.dispatchKeyEvent", {{"type", "keyDown"}, {"key", key}, {"text", key}});
    call("Input.dispatchKeyEvent", {{"type", "keyUp"}, {"key", key}});
  }

  /// Returns the window as a PNG file, in base64.
  std::string screenshot() { return call("Page.captureScreenshot").at("data").get<std::string>(); }

  /// Returns the events of the protocol so far.
  const std::vector<io::Json>& events() const noexcept { return events_; }

 private:
  [[noreturn]] static void become(const std::vector<std::string>& words, int in, int out,
                                  const std::filesystem::path& directory) {
    // Avoids descriptors 3 and 4, which Chromium uses.
    const int read_end = ::fcntl(in, F_DUPFD, 10), write_end = ::fcntl(out, F_DUPFD, 10);
    ::dup2(read_end, 3);
    ::dup2(write_end, 4);
    const int log = ::open((directory / "browser.log").c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }

  /// Returns the next message; waits up to a minute.
  io::Json next() {
    constexpr int kPatience_ms = 60000;
    while (true) {
      const auto end = buffer_.find('\0');
      if (end != std::string::npos) {
        io::Json message = io::Json::parse(buffer_.substr(0, end));
        buffer_.erase(0, end + 1);
        return message;
      }
      pollfd wait{from_, POLLIN, 0};
      std::array<char, 65536> block{};
      const ssize_t count =
          ::poll(&wait, 1, kPatience_ms) > 0 ? ::read(from_, block.data(), block.size()) : 0;
      if (count <= 0) throw std::runtime_error("the browser does not answer");
      buffer_.append(block.data(), static_cast<std::size_t>(count));
    }
  }

  /// Waits for an event after the first `before` ones.
  void wait_for(const std::string& event, std::size_t before) {
    for (std::size_t i = before; i < events_.size(); ++i) {
      if (events_[i]["method"] == event) return;
    }
    do {
      events_.push_back(next());
    } while (events_.back()["method"] != event);
  }

  pid_t pid_ = 0;
  int to_ = -1, from_ = -1;
  std::int64_t last_ = 0;
  std::string session_, buffer_;
  std::vector<io::Json> events_;
};

}  // namespace afterspike::testing
