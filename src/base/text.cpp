#include "afterspike/base/text.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace afterspike {
namespace {

unsigned char byte_of(char letter) {
  return static_cast<unsigned char>(letter);
}

/// Size of a letter by its first byte; 0 for a byte that begins none.
std::size_t size_by_first(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

}  // namespace

std::size_t utf8_letter_size(std::string_view text) {
  const std::size_t size = size_by_first(byte_of(text[0]));
  if (size > text.size()) return 0;
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte_of(text[at]) & 0xc0) != 0x80) return 0;
  }
  if (size < 3) return size;
  // Long forms of short letters, surrogates, and numbers beyond Unicode.
  const unsigned char first = byte_of(text[0]), second = byte_of(text[1]);
  const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return bad ? 0 : size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_letter_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = utf8_letter_size(text);
    if (size > 0) result.append(text, 0, size);
    if (size == 0) result += fmt::format("\\x{:02x}", byte_of(text[0]));
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return result;
}

std::string shell_quoted(std::string_view word) {
  const auto plain = [](char letter) {
    return std::isalnum(byte_of(letter)) != 0 ||
           std::string_view("_-./:=,+@%").find(letter) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return std::string(word);
  std::string text(1, '\'');
  for (const char letter : word) {
    if (letter == '\'') text += "'\\'";
    text += letter;
  }
  text += '\'';
  return text;
}

std::string shell_command(std::span<const std::string> words) {
  std::string command;
  for (const std::string& word : words) {
    if (!command.empty()) command += ' ';
    command += shell_quoted(word);
  }
  return command;
}

}  // namespace afterspike
