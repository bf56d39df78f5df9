#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace afterspike::fetch {

/// Copies the member `name` or `name`.gz of a tar archive, packed or not, at most `limit` bytes, to
/// the file `target`. Members of other names and links are passed over, and nothing else is
/// written. Returns the name of the member. Throws Error(data) when it is not there or the archive
/// is damaged.
std::string extract_member(const std::filesystem::path& archive, std::string_view name,
                           const std::filesystem::path& target, std::int64_t limit);

/// Copies the archive of the files in a Debian package, at most `limit` bytes and packed as it is,
/// to the file `target`: its member data.tar, data.tar.xz, ... Throws Error(data).
void extract_deb(const std::filesystem::path& package, const std::filesystem::path& target,
                 std::int64_t limit);

/// Copies a file that comes alone to the file `target`, at most `limit` bytes: as it is, or out of
/// a gzip, xz or zip archive, which is told by its content. A zip archive must have a member of
/// this name. Throws Error(data).
void unpack(const std::filesystem::path& packed, std::string_view name,
            const std::filesystem::path& target, std::int64_t limit);

}  // namespace afterspike::fetch
