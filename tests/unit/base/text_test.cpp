#include "afterspike/base/text.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace afterspike {
namespace {

TEST(Text, Utf8IsToldFromOtherBytes) {
  for (const char* text : {"", "plain", "l\xc3\xa4ufe", "\xe2\x82\xac", "\xf0\x9f\x99\x82"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  // Latin-1, a cut letter, a lone continuation, a long form of '/', a surrogate, beyond Unicode.
  for (const char* text : {"l\xe4ufe", "\xc3", "a\xa4", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << printable(text);
  }
  EXPECT_EQ(printable("l\xe4uf\xc3\xa9"), "l\\xe4uf\xc3\xa9");
}

TEST(Text, WordsAreQuotedForAShellOnlyWhereTheyNeedIt) {
  EXPECT_EQ(shell_quoted("runs/a-b_c.d"), "runs/a-b_c.d");
  EXPECT_EQ(shell_quoted("my run"), "'my run'");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_quoted("a;b"), "'a;b'");
  const std::vector<std::string> words = {"afterspike", "train", "--set", "neuron.sigma=1 mV"};
  EXPECT_EQ(shell_command(words), "afterspike train --set 'neuron.sigma=1 mV'");
}

}  // namespace
}  // namespace afterspike
