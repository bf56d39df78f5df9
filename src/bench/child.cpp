#include "child.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <new>
#include <string_view>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include "afterspike/base/error.hpp"

namespace afterspike::bench {
namespace {

/// First byte of an answer.
constexpr char kResult = 'r', kError = 'e', kNoMemory = 'm';

/// LibTorch has no exception type for lack of memory.
bool is_out_of_memory(const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  return text.find("can't allocate memory") != text.npos ||
         text.find("not enough memory") != text.npos;
}

std::string error_answer(ErrorKind kind, std::string_view message) {
  return std::string{kError, static_cast<char>(kind)} + std::string(message);
}

std::string answer_of(const std::function<std::string()>& work) {
  try {
    return kResult + work();
  } catch (const Error& error) {
    return error_answer(error.kind(), error.what());
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) return {kNoMemory};
    return error_answer(ErrorKind::internal, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return {kNoMemory};
  } catch (const std::exception& error) {
    return error_answer(ErrorKind::internal, error.what());
  }
}

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to, bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string read_all(int from) {
  std::string bytes;
  char part[4096];
  for (ssize_t count = 0; (count = ::read(from, part, sizeof(part))) > 0;) {
    bytes.append(part, static_cast<std::size_t>(count));
  }
  return bytes;
}

}  // namespace

std::optional<std::string> bytes_in_child(const std::function<std::string()>& work) {
  int ends[2];
  require(::pipe(ends) == 0, ErrorKind::internal, "bench: there is no pipe");
  const pid_t child = ::fork();
  require(child >= 0, ErrorKind::config, "bench: the system allows no further process");
  if (child == 0) {
    ::close(ends[0]);
    // The copy has none of the threads that OpenMP may have started.
    at::set_num_threads(1);
    // The copy must not run this process's exit handlers.
    ::_exit(write_all(ends[1], answer_of(work)) ? 0 : 1);
  }
  ::close(ends[1]);
  const std::string answer = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  // The system kills a process that exceeds the memory.
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return std::nullopt;
  require(!WIFSIGNALED(status), ErrorKind::config,
          "bench: the measuring process was ended by signal {}", WTERMSIG(status));
  require(!answer.empty() && status == 0, ErrorKind::internal,
          "bench: the measuring process ended with status {}", status);
  if (answer[0] == kNoMemory) return std::nullopt;
  if (answer[0] == kError) {
    throw Error(static_cast<ErrorKind>(answer[1]), answer.substr(2));
  }
  return answer.substr(1);
}

}  // namespace afterspike::bench
