#include "afterspike/kernels/workspace.hpp"

#include <sys/mman.h>

#include <map>
#include <mutex>

#include "afterspike/base/error.hpp"
#include "fence.hpp"

namespace afterspike::kernels {
namespace {

constexpr std::size_t kPage = std::size_t{1} << 21;  // of huge pages, where the system has them

/// Memory that was given back, by its size.
struct Shelf {
  std::mutex mutex;
  std::multimap<std::size_t, std::byte*> free;
  std::size_t allocated = 0;
};

Shelf& shelf() {
  static auto* instance = new Shelf;  // outlives every object that gives memory back
  return *instance;
}

std::byte* allocate(std::size_t bytes) {
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(data != MAP_FAILED, ErrorKind::config,
          "a workspace of {} MiB cannot be allocated: there is not enough memory", bytes >> 20);
  ::madvise(data, bytes, MADV_HUGEPAGE);
  return static_cast<std::byte*>(data);
}

}  // namespace

Workspace::Workspace(std::size_t bytes)
    : data_(nullptr), bytes_((bytes + kPage - 1) / kPage * kPage) {
  Shelf& shared = shelf();
  const std::scoped_lock lock(shared.mutex);
  // One that is far too large would keep memory from those that need it.
  const auto found = shared.free.lower_bound(bytes_);
  if (found != shared.free.end() && found->first <= 2 * bytes_) {
    bytes_ = found->first;
    data_ = found->second;
    shared.free.erase(found);
    return;
  }
  data_ = allocate(bytes_);
  shared.allocated += bytes_;
}

Workspace::~Workspace() {
  if (data_ == nullptr) return;
  remove_fences(data_, bytes_);
  Shelf& shared = shelf();
  const std::scoped_lock lock(shared.mutex);
  shared.free.emplace(bytes_, data_);
}

void Workspace::release_all() noexcept {
  Shelf& shared = shelf();
  const std::scoped_lock lock(shared.mutex);
  for (const auto& [bytes, data] : shared.free) {
    ::munmap(data, bytes);
    shared.allocated -= bytes;
  }
  shared.free.clear();
}

std::size_t Workspace::allocated() noexcept {
  Shelf& shared = shelf();
  const std::scoped_lock lock(shared.mutex);
  return shared.allocated;
}

}  // namespace afterspike::kernels
