#pragma once

namespace afterspike {

/// While it lives, numbers too small to be normal (below 1.2e-38 in single precision, 2.2e-308 in
/// double) are taken and given as 0 on the calling thread, where the processor can do that (x86,
/// ARM64). Gradients fade into such numbers over a long sequence, and on many processors an
/// operation on one takes some hundred cycles: a training step sixteen times as long was measured.
class DenormalsFlushed {
 public:
  DenormalsFlushed() noexcept;
  ~DenormalsFlushed();
  DenormalsFlushed(const DenormalsFlushed&) = delete;
  DenormalsFlushed& operator=(const DenormalsFlushed&) = delete;

 private:
  unsigned long long before_;  ///< The register that says so.
};

}  // namespace afterspike
