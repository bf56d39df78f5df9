#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/exporters/importer.hpp"
#include "afterspike/glifnet/file.hpp"
#include "afterspike/io/json.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "outputs.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// A configuration by what it has: names differ.
bool is_sonata(const fs::path& path) {
  if (fs::is_directory(path)) return fs::exists(path / "config.json");
  const io::Json content = io::read_json(path, ErrorKind::data);
  return content.contains("networks") || content.contains("network") ||
         content.contains("simulation");
}

/// With the files of directories in their place.
std::vector<fs::path> allen_files(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const fs::path path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const std::vector<fs::path> own = exporters::allen_configs(path);
    require(!own.empty(), ErrorKind::data,
            "'{}': expected a config.json (SONATA) or files whose names end with {}, found neither",
            path.string(), exporters::kAllenConfig);
    files.insert(files.end(), own.begin(), own.end());
  }
  return files;
}

int run(std::span<const std::string> words) {
  Arguments arguments(
      "import",
      "Makes a network file of others' networks of GLIF neurons: a SONATA directory "
      "(or its\nconfig.json), or the Allen Institute's neuron_config.json files (or a directory of "
      "them).",
      "PATH... --out NET");
  arguments.any_number("PATH", 1)
      .value("out", "NET", "The file to write; must not exist.")
      .flag("force", "Replace what is at --out.");
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage, "import: expected --out NET");
  require_free(arguments.text("out"), arguments.has("force"));
  const std::vector<std::string>& paths = arguments.words();
  const bool sonata = std::any_of(paths.begin(), paths.end(), is_sonata);
  for (const fs::path path : paths) {
    const bool whole = sonata && !fs::is_directory(path);
    require_not_input(arguments.text("out"), whole ? fs::absolute(path).parent_path() : path);
  }
  require(!sonata || paths.size() == 1, ErrorKind::usage,
          "import: found {} paths, expected one SONATA network", paths.size());
  const glifnet::Network network = sonata ? exporters::import_sonata(paths.front()).network
                                          : exporters::import_allen(allen_files(paths));
  const fs::path out = arguments.text("out");
  replace(out, [&] { glifnet::write_network(out, network); });
  for (const glifnet::Population& population : network.populations) {
    log::info("{} of model {}: '{}'", population.size, population.model, population.name);
  }
  log::info("{} synapses; the network is in {}", network.synapses(), arguments.text("out"));
  return 0;
}

}  // namespace

CommandEntry entry_import() {
  return {"import", "read others' networks of GLIF neurons", run};
}

}  // namespace afterspike::cli
