#include "program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <thread>

#include "afterspike/base/error.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kPollInterval{20};

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

/// Redirections of the standard streams of a program to be started, and its working directory.
class Redirections {
 public:
  Redirections(const fs::path& log, const fs::path& folder) {
    constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
    require(posix_spawn_file_actions_init(&actions_) == 0 &&
                posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0) == 0 &&
                posix_spawn_file_actions_addopen(&actions_, 1, log.c_str(), kWrite, 0666) == 0 &&
                posix_spawn_file_actions_adddup2(&actions_, 1, 2) == 0 &&
                posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()) == 0,
            ErrorKind::internal, "the streams of a program cannot be set up");
  }
  ~Redirections() { posix_spawn_file_actions_destroy(&actions_); }
  Redirections(const Redirections&) = delete;
  Redirections& operator=(const Redirections&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

pid_t start(const std::vector<std::string>& arguments, const fs::path& log,
            const fs::path& folder) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  const Redirections redirections(log, folder);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, pointers[0], redirections.get(), nullptr, pointers.data(), environ);
  require(error != ENOENT || !fs::is_directory(folder), ErrorKind::data,
          "the program '{}' is not installed", arguments[0]);
  require(error == 0, ErrorKind::data, "the program '{}' cannot be started: {}", arguments[0],
          reason(error));
  return child;
}

/// Returns the wait status of the child, which is killed if it takes longer than `patience`.
int wait_for(pid_t child, milliseconds patience, bool& out_of_patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    require(ended == 0 || errno == EINTR, ErrorKind::internal,
            "the end of a program cannot be waited for: {}", reason(errno));
    if (!out_of_patience && std::chrono::steady_clock::now() >= deadline) {
      out_of_patience = true;
      kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

/// Returns ": " and the last line of text in a file, or "".
std::string last_line(const fs::path& log) {
  std::ifstream input(log);
  std::string last;
  for (std::string line; std::getline(input, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  return last.empty() ? "" : ": " + last;
}

}  // namespace

void run_program(const std::vector<std::string>& arguments, const fs::path& log,
                 milliseconds patience, const fs::path& folder) {
  bool out_of_patience = false;
  const int status = wait_for(start(arguments, log, folder), patience, out_of_patience);
  require(!out_of_patience, ErrorKind::data, "'{}' did not end within {} s{}", arguments[0],
          static_cast<double>(patience.count()) / 1000, last_line(log));
  require(!WIFSIGNALED(status), ErrorKind::data, "'{}' was ended by signal {}{}", arguments[0],
          WTERMSIG(status), last_line(log));
  require(WEXITSTATUS(status) == 0, ErrorKind::data, "'{}' ended with status {}{}", arguments[0],
          WEXITSTATUS(status), last_line(log));
}

}  // namespace afterspike::fetch
