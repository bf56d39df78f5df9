#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace afterspike::fetch {

/// Downloads an http or https address to a file, at most `limit` bytes. Throws Error(data) that
/// names the address and the reason: no such host, no connection within 10 s, less than 1 kB/s for
/// 30 s, an unsuccessful status, fewer bytes than announced.
void download(const std::string& url, const std::filesystem::path& target, std::int64_t limit);

}  // namespace afterspike::fetch
