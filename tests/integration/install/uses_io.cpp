#include <filesystem>
#include <iostream>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/io/bytes.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/io/table.hpp"

int main() try {
  const afterspike::io::Table written{
      {"time_ms", "value"},
      {{afterspike::units::parse("2 s", "ms", "time"), afterspike::Rng(1).uniform()}}};
  afterspike::io::write_csv("table.csv", written);
  const afterspike::io::Table read = afterspike::io::read_csv("table.csv");
  afterspike::require(read.columns == written.columns && read.rows == written.rows,
                      afterspike::ErrorKind::internal, "what was read is not what was written");

  // An error thrown in the library is caught here as what it is.
  try {
    afterspike::io::read_csv("no-such-file.csv");
  } catch (const afterspike::Error& error) {
    std::cout << "2 s are " << read.rows[0][0] << " ms; " << error.what() << '\n';
    return 0;
  }
  return 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
