#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace afterspike {

/// Number of bytes of the UTF-8 letter that begins the text; 0 if it begins with another byte.
/// REQUIRES: a text that is not empty.
std::size_t utf8_letter_size(std::string_view text);

bool is_utf8(std::string_view text);

/// The text with each byte that is no UTF-8 as "\xe4".
std::string printable(std::string_view text);

/// Quotes a word for a POSIX shell, if it needs quotes.
std::string shell_quoted(std::string_view word);

/// Joins words to a command that can be pasted into a shell.
std::string shell_command(std::span<const std::string> words);

}  // namespace afterspike
