#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace afterspike::io {

/// Refuses to take `bytes` of memory for content that a file stores in `stored` bytes if that is
/// more than the machine has, or more than 1 GiB and more than 1000 times the stored bytes: a file
/// of some KB can declare any number of values. `where` names the content in the message. Throws
/// Error(data).
void require_plausible_size(std::uint64_t bytes, std::uint64_t stored, std::string_view where);

/// "7.2 GiB", "12 KiB" or "100 bytes".
std::string size_text(double bytes);

/// Memory that this process may still take: free memory of the machine, and its free swap if that
/// counts, or less if its address space (ulimit -v) or its control group is limited. Infinite if
/// the system does not tell.
double available_bytes(bool with_swap = true);

}  // namespace afterspike::io
