#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/formats/importer.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "outputs.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

enum class Format { allen, sonata };

/// Recognises a configuration by its contents, because names differ.
Format found_format(const fs::path& path) {
  if (fs::is_directory(path)) {
    return fs::exists(path / "config.json") ? Format::sonata : Format::allen;
  }
  const io::Json content = io::read_json(path, ErrorKind::data);
  const bool sonata =
      content.contains("networks") || content.contains("network") || content.contains("simulation");
  return sonata ? Format::sonata : Format::allen;
}

/// Returns the format of --from, or else of the contents of `path`.
Format format_of(const Arguments& arguments, const fs::path& path) {
  if (!arguments.has("from")) return found_format(path);
  const std::string name = arguments.text("from");
  require(name == "allen" || name == "sonata", ErrorKind::usage,
          "--from: found '{}', expected allen or sonata", name);
  return name == "sonata" ? Format::sonata : Format::allen;
}

/// Replaces directories by their files.
std::vector<fs::path> allen_files(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const fs::path path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const std::vector<fs::path> own = formats::allen_configs(path);
    require(!own.empty(), ErrorKind::data,
            "'{}': expected files whose names end with {}, found none; a SONATA network has a "
            "config.json",
            path.string(), formats::kAllenConfig);
    files.insert(files.end(), own.begin(), own.end());
  }
  return files;
}

Arguments import_arguments() {
  Arguments arguments(
      "import",
      "Makes a network file of others' networks of GLIF neurons: a SONATA directory "
      "(or its\nconfig.json), or the Allen Institute's neuron_config.json files (or a directory of "
      "them),\nor parameters of NEST's glif_psc.",
      "PATH... --out NET [--from allen|sonata]");
  arguments.example("afterspike import network/config.json --out net.h5")
      .any_number("PATH", 1)
      .value("out", "NET", "The file to write; must not exist.")
      .value("from", "FORMAT", "allen or sonata (default: told by what is in PATH).")
      .flag("force", "Replaces a network file at --out.");
  return arguments;
}

int run_import(std::span<const std::string> words) {
  Arguments arguments = import_arguments();
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage, "import: expected --out NET");
  require_free(arguments.text("out"), arguments.has("force"));
  const std::vector<std::string>& paths = arguments.words();
  const bool sonata = std::any_of(paths.begin(), paths.end(), [&](const fs::path& path) {
    return format_of(arguments, path) == Format::sonata;
  });
  for (const fs::path path : paths) {
    const bool whole = sonata && !fs::is_directory(path);
    require_not_input(arguments.text("out"), whole ? fs::absolute(path).parent_path() : path);
  }
  require_replaceable(arguments.text("out"), "");
  require(!sonata || paths.size() == 1, ErrorKind::usage,
          "import: found {} paths, expected one SONATA network", paths.size());
  const spiking::Network network = sonata ? formats::import_sonata(paths.front()).network
                                          : formats::import_allen(allen_files(paths));
  const fs::path out = arguments.text("out");
  replace(out, [&] { spiking::write_network(out, network); });
  constexpr std::size_t kShown = 8;
  const std::size_t count = network.populations.size();
  for (std::size_t i = 0; i < std::min(kShown, count); ++i) {
    const spiking::Population& population = network.populations[i];
    log::info("{} of model {}: '{}'", population.size, population.model, population.name);
  }
  if (count > kShown) log::info("and {} more populations", count - kShown);
  log::info("{} synapses; the network is in {}", network.synapses(), arguments.text("out"));
  return 0;
}

}  // namespace

CommandEntry entry_import() {
  return {"import", "read others' networks of GLIF neurons", run_import};
}

}  // namespace afterspike::cli
