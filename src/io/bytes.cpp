#include "afterspike/io/bytes.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string_view>

#include <openssl/evp.h>
#include <zlib.h>

#include <fmt/format.h>

#include "file.hpp"

namespace afterspike::io {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;

/// zlib's inflate over a gzip file that is completely in memory.
class Inflater {
 public:
  Inflater(const std::filesystem::path& path, std::span<const std::uint8_t> input)
      : path_(path), input_(input) {
    constexpr int kGzipOnly = 15 + 16;
    require(inflateInit2(&stream_, kGzipOnly) == Z_OK, ErrorKind::internal,
            "zlib cannot be initialised");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::vector<std::uint8_t> run(std::size_t limit) {
    std::vector<std::uint8_t> output;
    do {
      for (int state = Z_OK; state != Z_STREAM_END;) {
        state = step(output);
        require(output.size() <= limit, ErrorKind::data,
                "'{}': offset {}: found more than {} bytes of content, expected {} at most",
                path_.string(), offset(), limit, limit);
      }
    } while (next_member());
    return output;
  }

 private:
  std::size_t offset() const { return fed_ - stream_.avail_in; }

  /// Starts the member that follows; false at the end, which zeros may pad. Throws for other bytes.
  bool next_member() {
    const auto rest = input_.subspan(offset());
    if (std::all_of(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte == 0; })) {
      return false;
    }
    const bool follows = rest.size() >= 2 && rest[0] == 0x1f && rest[1] == 0x8b;
    require(follows, ErrorKind::data, "'{}': offset {}: {} bytes after the end of the gzip data",
            path_.string(), offset(), rest.size());
    inflateReset(&stream_);
    return true;
  }

  /// Appends the next decompressed block to `output`.
  int step(std::vector<std::uint8_t>& output) {
    if (stream_.avail_in == 0) feed();
    const std::size_t before = output.size();
    output.resize(before + kBlock);
    stream_.next_out = output.data() + before;
    stream_.avail_out = static_cast<uInt>(kBlock);
    const int state = inflate(&stream_, Z_NO_FLUSH);
    output.resize(output.size() - stream_.avail_out);
    const bool starved = state == Z_BUF_ERROR && fed_ == input_.size();
    require(!starved, ErrorKind::data, "'{}': offset {}: the gzip data ends too early",
            path_.string(), offset());
    require(state == Z_OK || state == Z_STREAM_END, ErrorKind::data,
            "'{}': offset {}: damaged gzip data ({})", path_.string(), offset(),
            stream_.msg != nullptr ? stream_.msg : zError(state));
    return state;
  }

  /// zlib counts its input in 32 bits.
  void feed() {
    const std::size_t count =
        std::min<std::size_t>(input_.size() - fed_, std::numeric_limits<std::int32_t>::max());
    stream_.next_in = const_cast<Bytef*>(input_.data() + fed_);
    stream_.avail_in = static_cast<uInt>(count);
    fed_ += count;
  }

  const std::filesystem::path& path_;
  std::span<const std::uint8_t> input_;
  std::size_t fed_ = 0;
  z_stream stream_ = {};
};

/// An incremental checksum by OpenSSL.
class Digest {
 public:
  explicit Digest(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }

  void add(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }

  std::string hexadecimal() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    check(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) == 1);
    return fmt::format("{:02x}", fmt::join(bytes.begin(), bytes.begin() + size, ""));
  }

 private:
  static void check(bool success) {
    require(success, ErrorKind::internal, "OpenSSL refuses to compute a checksum");
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string digest(const EVP_MD* algorithm, std::span<const std::uint8_t> bytes) {
  Digest digest(algorithm);
  digest.add(std::as_bytes(bytes));
  return digest.hexadecimal();
}

constexpr std::array<std::uint32_t, 256> crc32c_table() {
  constexpr std::uint32_t kReversedPolynomial = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t index = 0; index < 256; ++index) {
    std::uint32_t remainder = index;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kReversedPolynomial : 0);
    }
    table[index] = remainder;
  }
  return table;
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& path, ErrorKind kind) {
  File file(path, File::Mode::read, kind);
  std::vector<std::uint8_t> content(static_cast<std::size_t>(file.size()));
  const std::size_t count = file.read(std::as_writable_bytes(std::span(content)));
  require(count == content.size(), kind, "'{}': ends at {} of {} bytes", path.string(), count,
          content.size());
  return content;
}

std::string read_text(const std::filesystem::path& path, ErrorKind kind) {
  const std::vector<std::uint8_t> bytes = read_file(path, kind);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  // Without a mark, UTF-16 and UTF-32 have a zero beside each ASCII letter.
  const bool marked = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
  const bool wide = marked || (text.size() >= 2 && (text[0] == 0) != (text[1] == 0));
  require(!wide, kind,
          "'{}': found text in UTF-16 or UTF-32, expected UTF-8. Save it as UTF-8, or run: iconv -f"
          " UTF-16 -t UTF-8",
          path.string());
  return std::string(text);
}

std::vector<std::uint8_t> read_maybe_gzipped(const std::filesystem::path& path, std::size_t limit) {
  std::vector<std::uint8_t> content = read_file(path);
  const bool gzipped = content.size() >= 2 && content[0] == 0x1f && content[1] == 0x8b;
  if (gzipped) return Inflater(path, content).run(limit);
  require(content.size() <= limit, ErrorKind::data, "'{}': found {} bytes, expected {} at most",
          path.string(), content.size(), limit);
  return content;
}

std::string sha256(std::span<const std::uint8_t> bytes) {
  return digest(EVP_sha256(), bytes);
}

std::string md5(std::span<const std::uint8_t> bytes) {
  return digest(EVP_md5(), bytes);
}

struct Sha256::State {
  Digest digest{EVP_sha256()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  state_->digest.add(bytes);
}

std::string Sha256::hexadecimal() {
  return state_->digest.hexadecimal();
}

std::string sha256_of_file(const std::filesystem::path& path, ErrorKind kind) {
  File file(path, File::Mode::read, kind);
  Sha256 digest;
  std::vector<std::byte> block(kBlock);
  while (const std::size_t count = file.read(block)) {
    digest.add(std::span(block).first(count));
  }
  return digest.hexadecimal();
}

std::uint32_t crc32c(std::span<const std::uint8_t> bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc32c_table();
  std::uint32_t remainder = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    remainder = (remainder >> 8) ^ kTable[(remainder ^ byte) & 0xff];
  }
  return ~remainder;
}

}  // namespace afterspike::io
