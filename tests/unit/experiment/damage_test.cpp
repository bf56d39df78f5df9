#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/io/bytes.hpp"
#include "afterspike/io/safetensors.hpp"
#include "small_checkpoint.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::experiment {
namespace {

namespace fs = std::filesystem;

using testing::slurp;
using testing::spill;

/// Rewrites the manifest with the checksum of its new content, like a careful editor.
void edit_manifest(const fs::path& directory, const std::function<void(io::Json&)>& edit) {
  io::Json manifest = io::Json::parse(slurp(directory / "manifest.json"));
  manifest.erase("sha256");
  edit(manifest);
  const std::string text = manifest.dump();
  manifest["sha256"] =
      io::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  spill(directory / "manifest.json", manifest.dump(2));
}

/// Replaces a file and enters its size and checksum into the manifest.
void replace_file(const fs::path& directory, const std::string& name, const std::string& content) {
  spill(directory / name, content);
  edit_manifest(directory, [&](io::Json& manifest) {
    manifest["files"][name] = {{"bytes", content.size()},
                               {"sha256", io::sha256_of_file(directory / name)}};
  });
}

void cut(const fs::path& path, std::size_t bytes) {
  const std::string content = slurp(path);
  spill(path, content.substr(0, content.size() - bytes));
}

void flip(const fs::path& path, std::size_t place) {
  std::string content = slurp(path);
  content.at(place) = static_cast<char>(content.at(place) ^ 4);
  spill(path, content);
}

struct Damage {
  const char* name;
  std::function<void(const fs::path&)> inflict;
  std::vector<std::string> message;
};

const std::vector<Damage> kDamages = {
    {"the manifest is missing",
     [](const fs::path& d) { fs::remove(d / "manifest.json"); },
     {"manifest.json", "No such file"}},
    {"the manifest is cut",
     [](const fs::path& d) { cut(d / "manifest.json", 20); },
     {"manifest.json", "not valid JSON", "offset"}},
    {"the manifest is empty",
     [](const fs::path& d) { spill(d / "manifest.json", ""); },
     {"manifest.json", "not valid JSON"}},
    {"the manifest is not JSON",
     [](const fs::path& d) { spill(d / "manifest.json", "step = 3\n"); },
     {"manifest.json", "not valid JSON"}},
    {"the manifest is not an object",
     [](const fs::path& d) { spill(d / "manifest.json", "[1]\n"); },
     {"manifest.json", "'format' is missing"}},
    {"a number in the manifest was changed",
     [](const fs::path& d) {
       std::string text = slurp(d / "manifest.json");
       text.replace(text.find("\"step\": 3"), 9, "\"step\": 4");
       spill(d / "manifest.json", text);
     },
     {"manifest.json", "checksum", "changed or damaged"}},
    {"the manifest has no checksum",
     [](const fs::path& d) {
       io::Json manifest = io::Json::parse(slurp(d / "manifest.json"));
       manifest.erase("sha256");
       spill(d / "manifest.json", manifest.dump());
     },
     {"manifest.json", "'sha256' is missing"}},
    {"the format is newer",
     [](const fs::path& d) {
       edit_manifest(d, [](io::Json& m) { m["format"] = kCheckpointFormat + 1; });
     },
     {"manifest.json", "format 2 is newer", "use a newer afterspike"}},
    {"the format is not a version",
     [](const fs::path& d) { edit_manifest(d, [](io::Json& m) { m["format"] = 0; }); },
     {"manifest.json", "format 0, expected 1 to"}},
    {"the format is text",
     [](const fs::path& d) { edit_manifest(d, [](io::Json& m) { m["format"] = "1"; }); },
     {"manifest.json", "'format'", "another type"}},
    {"the manifest has no configuration",
     [](const fs::path& d) { edit_manifest(d, [](io::Json& m) { m.erase("configuration"); }); },
     {"manifest.json", "'configuration' is missing"}},
    {"the manifest has no progress",
     [](const fs::path& d) { edit_manifest(d, [](io::Json& m) { m.erase("progress"); }); },
     {"manifest.json", "'progress' is missing"}},
    {"the manifest knows no model",
     [](const fs::path& d) {
       edit_manifest(d, [](io::Json& m) { m["files"].erase("model.safetensors"); });
     },
     {"manifest.json", "there is no model.safetensors"}},
    {"the model is missing",
     [](const fs::path& d) { fs::remove(d / "model.safetensors"); },
     {"model.safetensors", "is missing"}},
    {"the model is cut",
     [](const fs::path& d) { cut(d / "model.safetensors", 1); },
     {"model.safetensors", "bytes, expected", "truncated"}},
    {"the model is empty",
     [](const fs::path& d) { spill(d / "model.safetensors", ""); },
     {"model.safetensors", "found 0 bytes", "truncated"}},
    {"the model has more at its end",
     [](const fs::path& d) {
       spill(d / "model.safetensors", slurp(d / "model.safetensors") + "x");
     },
     {"model.safetensors", "bytes, expected"}},
    {"a byte of the model's header is flipped",
     [](const fs::path& d) { flip(d / "model.safetensors", 20); },
     {"model.safetensors", "SHA-256", "changed or damaged"}},
    {"the last byte of the model is flipped",
     [](const fs::path& d) {
       flip(d / "model.safetensors", fs::file_size(d / "model.safetensors") - 1);
     },
     {"model.safetensors", "SHA-256", "changed or damaged"}},
    {"the training state is missing",
     [](const fs::path& d) { fs::remove(d / "training.safetensors"); },
     {"training.safetensors", "is missing"}},
    {"the training state is cut",
     [](const fs::path& d) { cut(d / "training.safetensors", 7); },
     {"training.safetensors", "truncated"}},
    {"a byte of the training state is flipped",
     [](const fs::path& d) { flip(d / "training.safetensors", 100); },
     {"training.safetensors", "SHA-256"}},
    {"the model is a directory",
     [](const fs::path& d) {
       fs::remove(d / "model.safetensors");
       fs::create_directory(d / "model.safetensors");
     },
     {"model.safetensors", "is missing"}},
    {"the model is no safetensors file, though its checksum is right",
     [](const fs::path& d) { replace_file(d, "model.safetensors", "PK\3\4 something else"); },
     {"model.safetensors", "header length"}},
    {"the model ends before its tensors do, though its checksum is right",
     [](const fs::path& d) {
       const std::string content = slurp(d / "model.safetensors");
       replace_file(d, "model.safetensors", content.substr(0, content.size() - 4));
     },
     {"model.safetensors", "tensor '", "data_offsets"}},
};

TEST(DamagedCheckpoint, IsRefusedWithASentenceThatSaysWhatIsWrong) {
  const testing::TempDir directory;
  for (const Damage& damage : kDamages) {
    const fs::path checkpoint = directory / "checkpoint";
    write_checkpoint(checkpoint, testing::content_of(*testing::small_network()));
    ASSERT_NO_THROW(read_checkpoint(checkpoint));
    damage.inflict(checkpoint);
    try {
      read_checkpoint(checkpoint);
      ADD_FAILURE() << damage.name << ": was loaded";
    } catch (const Error& error) {
      EXPECT_EQ(exit_status(error.kind()), 5) << damage.name << ": " << error.what();
      EXPECT_THAT(error.what(), ::testing::HasSubstr(checkpoint.string())) << damage.name;
      for (const std::string& part : damage.message) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(part)) << damage.name;
      }
    }
    fs::remove_all(checkpoint);
  }
}

TEST(DamagedCheckpoint, IsRefusedWhicheverByteIsFlipped) {
  const testing::TempDir directory;
  const fs::path checkpoint = directory / "checkpoint";
  write_checkpoint(checkpoint, testing::content_of(*testing::small_network()));
  Rng rng(5);
  for (const char* file : {"manifest.json", "model.safetensors", "training.safetensors"}) {
    const std::string good = slurp(checkpoint / file);
    for (int i = 0; i < 60; ++i) {
      std::string bad = good;
      const std::size_t place = rng.below(bad.size());
      bad[place] = static_cast<char>(bad[place] ^ (1 << rng.below(7)));
      spill(checkpoint / file, bad);
      try {
        const Checkpoint read = read_checkpoint(checkpoint);
        // White space and such between the members of the manifest may change; content may not.
        EXPECT_EQ(std::string(file), "manifest.json") << "byte " << place;
        EXPECT_EQ(read.progress.at("step"), 3);
      } catch (const Error& error) {
        EXPECT_EQ(exit_status(error.kind()), 5) << error.what();
        EXPECT_THAT(error.what(), ::testing::HasSubstr(file)) << "byte " << place;
      }
    }
    spill(checkpoint / file, good);
  }
  EXPECT_NO_THROW(read_checkpoint(checkpoint));
}

TEST(DamagedCheckpoint, IsRefusedWhereverItIsCut) {
  const testing::TempDir directory;
  const fs::path checkpoint = directory / "checkpoint";
  write_checkpoint(checkpoint, testing::content_of(*testing::small_network()));
  Rng rng(6);
  for (const char* file : {"manifest.json", "model.safetensors", "training.safetensors"}) {
    const std::string good = slurp(checkpoint / file);
    for (int i = 0; i < 30; ++i) {
      // The manifest's last line end is not significant.
      spill(checkpoint / file, good.substr(0, rng.below(good.size() - 1)));
      EXPECT_THROW(read_checkpoint(checkpoint), Error) << file;
    }
    spill(checkpoint / file, good);
  }
}

TEST(DamagedCheckpoint, IsNotThereAtAll) {
  const testing::TempDir directory;
  spill(directory / "file", "");
  for (const char* name : {"none", "file"}) {
    try {
      read_checkpoint(directory / name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(exit_status(error.kind()), 5);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("there is no such checkpoint"));
    }
  }
}

}  // namespace
}  // namespace afterspike::experiment
