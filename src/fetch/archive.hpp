#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace afterspike::fetch {

/// Copies the member `name` or `name`.gz of a tar archive, compressed or not, at most `limit`
/// bytes, to the file `target`. Skips members of other names and links, and writes nothing else.
/// Returns the name of the member. Throws Error(data) if it is missing or the archive is damaged.
std::string extract_member(const std::filesystem::path& archive, std::string_view name,
                           const std::filesystem::path& target, std::int64_t limit);

/// Copies the file archive of a Debian package (its member data.tar, data.tar.xz, ...), at most
/// `limit` bytes and compressed as it is, to the file `target`. Throws Error(data).
void extract_deb(const std::filesystem::path& package, const std::filesystem::path& target,
                 std::int64_t limit);

/// Copies a single file to the file `target`, at most `limit` bytes: as it is, or from a gzip, xz
/// or zip archive, recognised by its content. A zip archive must have a member of this name. Throws
/// Error(data).
void unpack(const std::filesystem::path& packed, std::string_view name,
            const std::filesystem::path& target, std::int64_t limit);

}  // namespace afterspike::fetch
